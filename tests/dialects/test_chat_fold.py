"""Folding chunks to a ``chat.completion``, by shape and without loss."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.upstream import ROLE, STOP, chunk, text, usage
from tokenwire.dialects.chat.decode import ChatDecoder
from tokenwire.dialects.chat.fold import fold
from tokenwire.errors import UpstreamError


def delta(*deltas: dict[str, Any]) -> dict[str, Any]:
    """Return the message of these deltas."""
    blocks = [chunk(choices=[{"index": 0, "delta": each}]) for each in deltas]
    message: dict[str, Any] = fold(blocks)["choices"][0]["message"]
    return message


@pytest.mark.parametrize(
    "done", [b"data: [DONE]\n\n", b"data:[DONE]\n\n", b"data: [DONE] \r\n\r\n"]
)
def test_terminator_is_left_out_however_it_is_written(done: bytes) -> None:
    """The decoder takes each of these for the end, so the fold does."""
    assert ChatDecoder().ends(done)
    assert fold([ROLE, text("a"), STOP, done]) == fold([ROLE, text("a"), STOP])


def test_fold_makes_a_completion() -> None:
    """The result has the shape of the API's non-streaming response."""
    assert fold([ROLE, text("Hel"), text("lo"), STOP, usage()]) == {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": "gpt-x",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
    }


def test_fold_keeps_unknown_fields() -> None:
    """Folding depends on shapes only, so unknown fields are kept."""

    def choice(**output: Any) -> bytes:
        return chunk(choices=[{"index": 0, **output}], system_fingerprint="fp")

    whole = fold(
        [
            choice(delta={"role": "assistant", "content": "", "x": {"a": "1"}}),
            choice(
                delta={"role": "assistant", "content": "Hel", "x": {"a": "2"}},
                logprobs={"content": [{"token": "Hel"}]},
            ),
            choice(
                delta={"content": "lo", "annotations": [{"url": "u"}]},
                logprobs={"content": [{"token": "lo"}]},
            ),
            choice(
                delta={
                    "tool_calls": [
                        {
                            "index": 0,
                            "id": "c",
                            "type": "function",
                            "function": {"name": "f", "arguments": "{"},
                        },
                        {"index": 1, "id": "d"},
                    ]
                }
            ),
            choice(
                delta={"tool_calls": [{"index": 0, "function": {"arguments": "}"}}]},
                finish_reason="tool_calls",
                matched_stop=7,
            ),
            usage(),
        ]
    )

    assert whole["system_fingerprint"] == "fp"
    assert whole["usage"]["total_tokens"] == 5
    (found,) = whole["choices"]
    assert found["message"] == {
        "role": "assistant",
        "content": "Hello",
        "refusal": None,
        "x": {"a": "12"},
        "annotations": [{"url": "u"}],
        "tool_calls": [
            {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}},
            {"id": "d"},
        ],
    }
    assert found["logprobs"] == {"content": [{"token": "Hel"}, {"token": "lo"}]}
    assert (found["finish_reason"], found["matched_stop"]) == ("tool_calls", 7)


@pytest.mark.parametrize("data", [b"{", b'{"choices":5}', b'{"choices":[{"delta":"x"}]}'])
def test_fold_refuses_garbage(data: bytes) -> None:
    """A block that is not a chunk is an upstream error."""
    with pytest.raises(UpstreamError) as caught:
        fold([b"data: " + data + b"\n\n"])
    assert caught.value.code == "upstream_malformed"


@pytest.mark.parametrize("depth", [*range(100, 1100, 100), 100_000])
def test_deep_json_folds_or_is_refused(depth: int) -> None:
    """Values nested too deeply to be merged are malformed."""
    deep = b'{"x":' * depth + b"1" + b"}" * depth
    with suppress(UpstreamError):
        (choice,) = fold([b'data: {"choices":[{"delta":' + deep + b"}]}\n\n"] * 2)["choices"]
        assert "x" in choice["message"]


def test_fold_orders_choices() -> None:
    """Several choices are ordered by their number."""
    blocks = [chunk(choices=[{"index": n, "delta": {"content": str(n)}}]) for n in (2, 0, 1)]
    assert [c["message"]["content"] for c in fold(blocks)["choices"]] == ["0", "1", "2"]


@pytest.mark.parametrize(
    ("pieces", "whole"),
    [
        ([{"content": "a"}, {"content": None}, {"content": "b"}], {"content": "ab"}),
        ([{"role": "assistant"}, {"role": "assistant"}], {"content": None}),
        (
            [{"x": ["a"]}, {"x": ["b", {"index": 0}]}],
            {"content": None, "x": ["a", "b", {"index": 0}]},
        ),
        ([{"x": 1}, {"x": 2}], {"content": None, "x": 2}),
        (
            [{"content": "a"}, {"content": [{"type": "text", "text": "b"}]}, {"content": ""}],
            {"content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
        ),
        ([{"x": [1]}, {"x": 2}], {"content": None, "x": [1, 2]}),
        (
            [
                {"reasoning_details": [{"index": 0, "format": "f", "text": "a"}]},
                {"reasoning_details": [{"index": 0, "format": "f", "text": "b"}]},
            ],
            {"content": None, "reasoning_details": [{"index": 0, "format": "f", "text": "ab"}]},
        ),
    ],
)
def test_deltas_are_merged(pieces: list[dict[str, Any]], whole: dict[str, Any]) -> None:
    """Texts are joined, names are not, lists are merged by index, and mixed types lose nothing."""
    assert delta(*pieces) == {"role": "assistant", "refusal": None, **whole}


def test_one_chunk_may_hold_two_pieces() -> None:
    """Several pieces of one item in the first list are merged."""
    calls = [
        {"index": 0, "id": "c", "function": {"name": "f", "arguments": "{"}},
        {"index": 0, "function": {"arguments": "}"}},
    ]
    assert delta({"tool_calls": calls})["tool_calls"] == [
        {"id": "c", "function": {"name": "f", "arguments": "{}"}}
    ]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 1) | st.sampled_from(["", "x"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["index", "name", "x"]), inner, max_size=2)
    ),
    max_leaves=4,
)
CHOICES = VALUES | st.lists(
    st.fixed_dictionaries(
        {"delta": VALUES | st.fixed_dictionaries({"tool_calls": VALUES, "x": VALUES})}
    )
    | st.fixed_dictionaries({"index": VALUES, "logprobs": VALUES})
)


@given(st.lists(st.fixed_dictionaries({"choices": CHOICES, "usage": VALUES, "id": VALUES})))
def test_any_json_folds_or_is_refused(chunks: list[Any]) -> None:
    """Any input is folded or raises an upstream error."""
    with suppress(UpstreamError):
        whole = fold(b"data: " + json.dumps(each).encode() + b"\n\n" for each in chunks)
        assert whole["object"] == "chat.completion"
