"""Limit of nesting in JSON from outside, in every dialect."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import JSONResponse

from tests.conftest import Serve
from tests.fakes.upstream import DONE, ROLE, STOP, Upstream, chunk
from tests.fakes.work import allocated
from tokenwire.dialects import DIALECTS
from tokenwire.dialects.depth import MAX_DEPTH, MAX_INNER, is_deep, parsed
from tokenwire.errors import UpstreamError
from tokenwire.events import Citation, Content, Event, Finish, Start, ToolCall


def nested(depth: int, kind: str = "[") -> str:
    """Return JSON with this number of levels."""
    if kind == "[":
        return "[" * depth + "]" * depth
    return '{"x":' * depth + "1" + "}" * depth


# A block of each dialect with any JSON inside, and the number of levels around it.
HOLDERS = {
    "chat": (b'data: {"choices":[{"index":0,"delta":{"content":"a","z":%b}}]}\n\n', 4),
    "messages": (b'data: {"type":"message_start","message":{"usage":{},"z":%b}}\n\n', 2),
    "responses": (b'data: {"type":"response.completed","response":{"z":%b}}\n\n', 2),
    "ui": (b'data: {"type":"data-x","z":%b}\n\n', 1),
    "events": (b'data: {"type":"start","id":"s","model":"m","z":%b}\n\n', 1),
}


@pytest.mark.parametrize("kind", "[{")
@pytest.mark.parametrize("dialect", HOLDERS)
def test_depth_has_a_bound(dialect: str, kind: str) -> None:
    """A block at the limit is decoded and encoded; a deeper one is an upstream error."""
    block, around = HOLDERS[dialect]
    for depth in (MAX_DEPTH - around, MAX_DEPTH - around + 1, 900, 950, 990, 1010, 100_000):
        data = block % nested(depth, kind).encode()
        decoder = DIALECTS[dialect].decoder()
        if depth + around <= MAX_DEPTH:
            decoder.decode(data)
            assert JSONResponse(DIALECTS[dialect].fold([data])).body
            continue
        assert decoder.notable(data)
        for read in (decoder.decode, lambda data: DIALECTS[dialect].fold([data])):
            with pytest.raises(UpstreamError) as caught:
                read(data)
            assert caught.value.code == "upstream_malformed"


@pytest.mark.parametrize("depth", [MAX_INNER, MAX_INNER + 1, 950, 990, 1010, 100_000])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_arguments_of_any_depth_end_well(dialect: str, depth: int) -> None:
    """Arguments and citations of any depth do not break the stream."""
    encoder = DIALECTS[dialect].encoder()
    events: list[Event] = [
        Start("st_1", "m"),
        Content("x"),
        Citation("https://a.test", "t", data=nested(depth, "{")),
        ToolCall(0, "c", "f", nested(depth, "{")),
        Finish("tool_calls"),
    ]
    blocks = [block for event in events for block in encoder.encode(event)]
    blocks += encoder.end()

    assert any(map(DIALECTS[dialect].decoder().ends, blocks[-2:]))
    if dialect == "messages" and depth > MAX_INNER:
        with pytest.raises(UpstreamError):
            DIALECTS[dialect].fold(blocks)
    else:
        assert JSONResponse(DIALECTS[dialect].fold(blocks)).body


PATHS: dict[str, dict[str, Any]] = {
    "/v1/chat/completions": {"messages": [{"role": "user", "content": "Hi"}]},
    "/v1/messages": {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 5},
    "/v1/responses": {"input": "Hi"},
}


@pytest.mark.parametrize("path", PATHS)
async def test_deep_answers_are_no_server_error(
    path: str, provider: Upstream, serve: Serve
) -> None:
    """A non-streaming answer of any depth is accepted or an upstream error."""
    client = await serve(provider, TOKENWIRE_CONFIG="tests/http/no_retries.toml")
    blocks = [
        block for depth in (100, 111, 113, 850, 900, 950, 990) for block in deep_blocks(depth)
    ]
    for block in blocks:
        provider.answer(ROLE, block, STOP, DONE)
    for block in blocks:
        response = await client.post(path, json={"model": "openai/gpt-x", **PATHS[path]})
        assert response.status_code in (200, 502), (block[-2000:], response.text)
        assert "upstream_malformed" in response.text or response.status_code == 200


def deep_blocks(depth: int) -> list[bytes]:
    """Return an answer with an unknown field and arguments of this depth."""
    call = {"index": 0, "id": "c", "function": {"name": "f", "arguments": nested(depth, "{")}}
    unknown = chunk({"content": "a", "z": 0})
    return [
        unknown.replace(b'"z":0', b'"z":' + nested(depth).encode()),
        chunk({"tool_calls": [call]}),
    ]


@given(
    st.recursive(
        st.text('a\\"[{]}', max_size=4),
        lambda inner: (
            st.lists(inner, max_size=2)
            | st.dictionaries(st.text('[{"\\', max_size=2), inner, max_size=2)
        ),
    ),
    st.integers(0, 140),
)
def test_depth_is_counted_as_json_has_it(value: Any, more: int) -> None:
    """Brackets and quotes inside strings are not counted."""

    def depth(value: Any) -> int:
        if not isinstance(value, list | dict):
            return 0
        inner = value.values() if isinstance(value, dict) else value
        return 1 + max(map(depth, inner), default=0)

    text = "[" * more + json.dumps(value) + "]" * more
    assert is_deep(text.encode()) == (depth(value) + more > MAX_DEPTH)


@pytest.mark.parametrize("unit", [b"[", b'"', b'\\"', b'["', b'{"a":', b"[]", b'"\\'])
def test_counting_is_linear(unit: bytes) -> None:
    """The check uses memory in proportion to the input."""

    def work(count: int) -> int:
        return allocated(
            lambda datas: [is_deep(data) for data in datas], [b"[" * 200 + unit * count]
        )

    assert work(40_000) < 2.6 * work(20_000)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "nul", "\ud800", nested(113, "{"), nested(5000, "{")]
)
def test_what_is_no_object_is_a_value_error(text: str) -> None:
    """A string that cannot be parsed raises ValueError."""
    with pytest.raises(ValueError):  # noqa: PT011 - of several kinds
        parsed(text, dict)
