"""Blocks of unknown shapes are notable and are not passed on."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tokenwire.dialects import DIALECTS
from tokenwire.errors import UpstreamError
from tokenwire.events import Error
from tokenwire.sse import event_block


def block(name: str, **body: object) -> bytes:
    """Return an event with this name."""
    return event_block(name, json.dumps(body).encode())


DELTA = block(
    "content_block_delta",
    type="content_block_delta",
    index=0,
    delta={"type": "text_delta", "text": "x"},
)
TEXT = block(
    "response.output_text.delta",
    type="response.output_text.delta",
    sequence_number=4,
    item_id="msg_1",
    output_index=0,
    content_index=0,
    delta="x",
    logprobs=[],
)
PLAIN = {"messages": DELTA, "responses": TEXT}
BAD: dict[str, Callable[[bytes], bytes]] = {
    "cut off": lambda plain: plain[:-4] + b"\n\n",
    "one brace too many": lambda plain: plain[:-2] + b"}\n\n",
    "no JSON": lambda plain: plain.replace(b"data: {", b"data: <"),
    "another type": lambda plain: plain.replace(b'"type": "', b'"type": "later_', 1),
    "no type": lambda plain: plain.replace(b'"type"', b'"kind"', 1),
    "detail": lambda _: b'data: {"detail":"Bearer sk-secret"}\n\n',
    "unnamed and unknown": lambda _: b'data: {"type":"note","note":"Bearer sk-secret"}\n\n',
}


@pytest.mark.parametrize("dialect", PLAIN)
def test_plain_content_is_not_notable(dialect: str) -> None:
    """A text block is passed on unchanged."""
    assert not DIALECTS[dialect].decoder().notable(PLAIN[dialect])


@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("dialect", PLAIN)
def test_bad_block_is_malformed(dialect: str, bad: str) -> None:
    """A block that is not JSON, or not of the dialect, is an error without the block's text."""
    decoder, result = DIALECTS[dialect].decoder(), BAD[bad](PLAIN[dialect])
    assert decoder.notable(result)
    if bad == "another type" and dialect == "responses":
        return  # its events have a common name prefix
    with pytest.raises(UpstreamError) as caught:
        decoder.decode(result)
    assert caught.value.code == "upstream_malformed"
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("dialect", PLAIN)
def test_later_event_is_passed_on(dialect: str) -> None:
    """An event of a later version has its type twice, like all events, and is ignored."""
    decoder, later = DIALECTS[dialect].decoder(), block("later_event", type="later_event", a=1)
    assert decoder.notable(later)
    assert decoder.decode(later) == []


@pytest.mark.parametrize("dialect", PLAIN)
def test_event_named_error_is_an_error(dialect: str) -> None:
    """An event named ``error`` is an error, whatever its type is."""
    for body in ({"detail": "sk-secret", "type": "x"}, {"type": "x", "error": "sk-secret"}):
        (event,) = DIALECTS[dialect].decoder().decode(block("error", **body))
        assert isinstance(event, Error)
        assert "secret" not in repr(event)


@pytest.mark.parametrize("dialect", PLAIN)
def test_block_without_data_says_nothing(dialect: str) -> None:
    """A block without data has no events."""
    decoder = DIALECTS[dialect].decoder()
    assert decoder.decode(b"event: ping\n\n") == []
    assert not decoder.ends(b": message_stop response.completed\n\n")
