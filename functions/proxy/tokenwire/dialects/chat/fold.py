"""Combine the chunks of a stream into a non-streaming ``chat.completion``."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from ...sse import data_of
from ..merging import merge, settled
from ..protocol import JSON
from ..reading import malformed, read_object
from ..terminator import is_done

# Fields of the completion itself. Azure's first chunk has empty values for them.
_HEAD = frozenset({"id", "object", "created", "model"})


class _Delta(msgspec.Struct):
    tool_calls: list[JSON] | None = None


class _Choice(msgspec.Struct):
    index: int | None = None
    delta: _Delta | None = None


class _Chunk(msgspec.Struct):
    """The parts of a chunk's shape that folding needs."""

    choices: list[_Choice] | None = None


def fold(blocks: Iterable[bytes]) -> JSON:
    """Merge chunks by their shape, so that fields unknown to tokenwire are kept.

    In deltas, strings are concatenated and lists are merged by their items' ``index``. Token
    log probabilities are appended. For all other fields the last value is used.

    Raises:
        UpstreamError: A block is not a chunk (``upstream_malformed``).
    """
    try:
        return _fold(blocks)
    except RecursionError:
        raise malformed() from None


def _fold(blocks: Iterable[bytes]) -> JSON:
    completion: JSON = {}
    choices: dict[int, JSON] = {}
    for block in blocks:
        if is_done(block):
            continue
        chunk = _read(block)
        for choice in chunk.pop("choices", None) or ():
            _merge_choice(choices.setdefault(choice.get("index") or 0, {}), choice)
        _merge_head(completion, chunk)
    completion.pop("obfuscation", None)
    completion["object"] = "chat.completion"
    completion["choices"] = [_choice(index, settled(choices[index])) for index in sorted(choices)]
    return completion


def _read(block: bytes) -> JSON:
    chunk = read_object(data_of(block) or b"{}")
    try:
        msgspec.convert(chunk, _Chunk)
    except msgspec.ValidationError:
        raise malformed() from None
    return chunk


def _merge_head(completion: JSON, chunk: JSON) -> None:
    for key, value in chunk.items():
        held = completion.get(key)
        if value is None or (held and key in _HEAD):
            continue
        if isinstance(held, dict) and isinstance(value, dict):
            held.update(value)
        else:
            completion[key] = value


def _merge_choice(held: JSON, choice: JSON) -> None:
    for key, value in choice.items():
        if key in ("delta", "logprobs"):
            held[key] = merge(held.get(key), value, key)
        elif value is not None or key not in held:
            # `finish_reason` is null in all chunks but the last.
            held[key] = value


def _choice(index: int, choice: JSON) -> JSON:
    delta = choice.pop("delta", None) or {}
    message = {"role": "assistant", "content": None, "refusal": None, **delta}
    for call in message.get("tool_calls") or ():
        call.pop("index", None)
    reason = choice.pop("finish_reason", None) or "stop"
    return {
        "index": index,
        "message": message,
        "logprobs": None,
        **choice,
        "finish_reason": reason,
    }
