"""The tokens of an answer: its deltas, up to where the request wants it to end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from zlib import crc32

from ...dialects.protocol import JSON
from .script import Script

_PIECE = re.compile(r"\s*\S{1,6}|\s+")
_OTHERS = "the a an of in to and is it for on with as at by from or be this that not"


@dataclass(frozen=True, slots=True)
class Tokens:
    """One answer, as deltas of a choice.

    Args:
        deltas: One for each token.
        finish: The ``finish_reason``.
        reasoning: How many of the tokens are reasoning.
    """

    deltas: list[JSON]
    finish: str
    reasoning: int


def tokens(script: Script, stream_id: str) -> Tokens:
    """Every token of the script, cut by the request's ``stop`` and limit.

    Args:
        script: What is answered.
        stream_id: Makes the ids of tool calls unique.
    """
    thought = [{"reasoning_content": piece} for piece in _PIECE.findall(script.reasoning)]
    deltas = [*thought, *(_calls(script, stream_id) if script.calls else _text(script))]
    limit = script.options.limit
    if limit is not None and len(deltas) > limit:
        return Tokens(deltas[:limit], "length", min(len(thought), limit))
    return Tokens(deltas, "tool_calls" if script.calls else "stop", len(thought))


def logprobs(delta: JSON, options_top: int | None) -> JSON:
    """Probabilities for a delta: made up, and the same each time.

    Args:
        delta: One token.
        options_top: How many alternatives are wanted.
    """
    found: dict[str, list[JSON] | None] = {"content": None, "refusal": None}
    for key in found:
        if key in delta:
            found[key] = [_entry(delta[key], options_top or 0)]
    return found


def _text(script: Script) -> Iterator[JSON]:
    text = script.text
    for stop in script.options.stops:
        text = text.partition(stop)[0]
    for piece in _PIECE.findall(text):
        yield {"refusal" if script.refuse else "content": piece}


def _calls(script: Script, stream_id: str) -> Iterator[JSON]:
    for index, call in enumerate(script.calls):
        name = f"call_{sha256(f'{stream_id}{index}'.encode()).hexdigest()[:24]}"
        function = {"name": call.name, "arguments": ""}
        yield _call(index, {"id": name, "type": "function", "function": function})
        for piece in _PIECE.findall(call.arguments):
            yield _call(index, {"function": {"arguments": piece}})


def _call(index: int, call: JSON) -> JSON:
    return {"tool_calls": [{"index": index, **call}]}


def _entry(token: str, top: int) -> JSON:
    chosen = _probability(token, -(crc32(token.encode()) % 1000) / 2000)
    others = [word for word in _OTHERS.split() if word != token][: max(0, top - 1)]
    rest = [
        _probability(word, chosen["logprob"] - 1 - rank / 10) for rank, word in enumerate(others)
    ]
    return {**chosen, "top_logprobs": [chosen, *rest] if top else []}


def _probability(token: str, logprob: float) -> JSON:
    return {"token": token, "logprob": round(logprob, 4), "bytes": list(token.encode())}
