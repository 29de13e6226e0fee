"""Convert non-streaming responses to the blocks of a stream."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from msgspec import Struct

from ..dialects.protocol import JSON
from ..dialects.reading import malformed, read_object
from ..dialects.terminator import DONE
from ..sse import event_block

# Types of content blocks whose text is sent in a delta, and the delta's type.
_DELTAS = {"text": "text_delta", "thinking": "thinking_delta"}


class _Message(Struct):
    tool_calls: list[JSON] | None = None


class _Choice(Struct):
    message: _Message
    finish_reason: str | None = None


class _Chat(Struct):
    choices: list[_Choice]


class _Block(Struct):
    type: str


class _Messages(Struct):
    content: list[_Block]
    usage: JSON


def chat(data: bytes) -> bytes:
    """Convert a ``chat.completion`` to chunks, with unknown fields; an error to one block.

    Raises:
        UpstreamError: The document is neither (``upstream_malformed``).
    """
    answer = read_object(data)
    if answer.get("error"):
        return _data(answer)
    _check(answer, _Chat)
    usage = answer.pop("usage", None)
    choices = answer.pop("choices")
    head = {**answer, "object": "chat.completion.chunk"}
    blocks = [
        _data({**head, "choices": [_delta(choice, number)]})
        for number, choice in enumerate(choices)
    ]
    blocks += [
        _data({**head, "choices": [_finish(choice, number)]})
        for number, choice in enumerate(choices)
    ]
    counted = [_data({**head, "choices": [], "usage": usage})] if usage else []
    return b"".join([*blocks, *counted, DONE])


def _delta(choice: JSON, number: int) -> JSON:
    message = dict(choice["message"])
    calls = message.get("tool_calls") or []
    if calls:
        message["tool_calls"] = [{"index": place, **call} for place, call in enumerate(calls)]
    rest = {name: value for name, value in choice.items() if name != "message"}
    return {"index": number, **rest, "delta": message, "finish_reason": None}


def _finish(choice: JSON, number: int) -> JSON:
    reason = choice.get("finish_reason") or "stop"
    return {"index": choice.get("index", number), "delta": {}, "finish_reason": reason}


def _data(body: JSON) -> bytes:
    return b"data: " + msgspec.json.encode(body) + b"\n\n"


def messages(data: bytes) -> bytes:
    """Convert a ``message`` to events, with unknown fields; an error to one event.

    Raises:
        UpstreamError: The document is neither (``upstream_malformed``).
    """
    answer = read_object(data)
    if answer.get("type") == "error":
        return _event({"type": "error", "error": answer.get("error")})
    _check(answer, _Messages)
    return b"".join(_event(event) for event in _message(answer))


def _message(answer: JSON) -> Iterator[JSON]:
    end = {name: answer.get(name) for name in ("stop_reason", "stop_sequence")}
    empty: JSON = {"content": [], "stop_reason": None, "stop_sequence": None}
    yield {"type": "message_start", "message": {**answer, **empty}}
    for index, block in enumerate(answer["content"]):
        yield from _block(index, block)
    yield {"type": "message_delta", "delta": end, "usage": answer["usage"]}
    yield {"type": "message_stop"}


def _block(index: int, block: JSON) -> Iterator[JSON]:
    kind = block["type"]
    if kind not in _DELTAS:
        yield {"type": "content_block_start", "index": index, "content_block": block}
    else:
        empty = {**block, kind: ""}
        delta = {"type": _DELTAS[kind], kind: block.get(kind)}
        yield {"type": "content_block_start", "index": index, "content_block": empty}
        yield {"type": "content_block_delta", "index": index, "delta": delta}
    yield {"type": "content_block_stop", "index": index}


def _event(event: JSON) -> bytes:
    return event_block(event["type"], msgspec.json.encode(event))


def _check(answer: JSON, kind: type[Struct]) -> None:
    try:
        msgspec.convert(answer, kind)
    except msgspec.ValidationError:
        # The cause is dropped: its message may quote the provider.
        raise malformed() from None
