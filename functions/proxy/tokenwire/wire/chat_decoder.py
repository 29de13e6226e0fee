"""Reads Chat Completions streams, including what compatible servers make of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from ..errors import UpstreamError
from ..events import Content, Error, Event, Finish, Reasoning, Start, ToolCall, Usage
from ..sse import data_of


class _Function(Struct):
    name: str | None = None
    arguments: str | None = None


class _ToolCall(Struct):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None


class _Delta(Struct):
    content: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = None  # DeepSeek, vLLM
    reasoning: str | None = None  # OpenRouter, Groq
    tool_calls: list[_ToolCall] | None = None
    function_call: _Function | None = None  # before there were tools


class _Choice(Struct):
    index: int | None = None
    delta: _Delta | None = None
    finish_reason: str | None = None


class _Details(Struct):
    cached_tokens: int | None = None
    reasoning_tokens: int | None = None


class _Usage(Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _Details | None = None
    completion_tokens_details: _Details | None = None


class _Chunk(Struct):
    id: str | None = None
    object: str | None = None
    created: float | None = None
    model: str | None = None
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: Any = None
    code: Any = None
    type: Any = None


_decode = msgspec.json.Decoder(_Chunk).decode


class ChatDecoder:
    """One stream's decoder. It remembers what odd servers leave out of later chunks."""

    def __init__(self) -> None:
        self._started = False
        self._calls: dict[int, list[str | None]] = {}

    def notable(self, block: bytes) -> bool:
        """True unless every finish and usage is null, compactly, and no error is named.

        Counting bytes is much cheaper than parsing. In text, a quote is escaped, so an answer
        that talks about these keys does not look like them.
        """
        return (
            block.count(b'"finish_reason"') != block.count(b'"finish_reason":null')
            or block.count(b'"usage"') != block.count(b'"usage":null')
            or b'"error"' in block
            or b"[DONE]" in block[:24]
        )

    def ends(self, block: bytes) -> bool:
        """Whether this is ``data: [DONE]``."""
        return b"[DONE]" in block[:24] and (data_of(block) or b"").strip() == b"[DONE]"

    def decode(self, block: bytes) -> list[Event]:
        """The chunk's events, in the order in which a reader wants them.

        Raises:
            UpstreamError: It is not a chunk (``upstream_malformed``).
        """
        data = data_of(block)
        if not data or self.ends(block):
            return []
        try:
            chunk = _decode(data)
        except (msgspec.DecodeError, RecursionError):
            raise UpstreamError(
                "The provider sent an event that cannot be read.", code="upstream_malformed"
            ) from None
        if chunk.error or chunk.object == "error":
            return [_error(chunk)]
        return list(self._events(chunk))

    def _events(self, chunk: _Chunk) -> Iterator[Event]:
        if not self._started and (chunk.choices or chunk.model):
            self._started = True
            yield Start(chunk.id or "", chunk.model or "", int(chunk.created or 0))
        for choice in chunk.choices or ():
            yield from self._choice(choice)
        if chunk.usage is not None:
            yield _usage(chunk.usage)

    def _choice(self, choice: _Choice) -> Iterator[Event]:
        index, delta = choice.index or 0, choice.delta
        if delta is not None:
            if thought := delta.reasoning_content or delta.reasoning:
                yield Reasoning(thought, index)
            if delta.content:
                yield Content(delta.content, index)
            if delta.refusal:
                yield Content(delta.refusal, index, refusal=True)
            for call in delta.tool_calls or ():
                yield self._tool_call(call, index)
            if delta.function_call is not None:
                yield self._tool_call(_ToolCall(0, None, delta.function_call), index)
        if choice.finish_reason:
            yield Finish(choice.finish_reason, index)

    def _tool_call(self, call: _ToolCall, choice: int) -> ToolCall:
        function = call.function or _Function()
        return ToolCall(
            call=self._position(call, choice),
            id=call.id or None,
            name=function.name or None,
            arguments=function.arguments or "",
            choice=choice,
        )

    def _position(self, call: _ToolCall, choice: int) -> int:
        """The call's index; where a server left it out, a new id means a new call."""
        seen = self._calls.setdefault(choice, [])
        if call.index is not None:
            return call.index
        if call.id is not None and call.id not in seen:
            seen.append(call.id)
        return seen.index(call.id) if call.id is not None else max(0, len(seen) - 1)


def _usage(usage: _Usage) -> Usage:
    prompt = usage.prompt_tokens_details or _Details()
    completion = usage.completion_tokens_details or _Details()
    return Usage(
        input_tokens=usage.prompt_tokens or 0,
        output_tokens=usage.completion_tokens or 0,
        cached_tokens=prompt.cached_tokens or 0,
        reasoning_tokens=completion.reasoning_tokens or 0,
    )


# A word in the error's type or code: our code, its status, whether to try again. The first counts.
_ERRORS: tuple[tuple[str, tuple[str, int, bool]], ...] = (
    ("rate_limit", ("upstream_rate_limited", 429, True)),
    ("429", ("upstream_rate_limited", 429, True)),
    ("quota", ("upstream_quota", 429, False)),
    ("overloaded", ("upstream_overloaded", 503, True)),
    ("503", ("upstream_overloaded", 503, True)),
    ("context_length", ("upstream_context_length", 400, False)),
    ("content_filter", ("upstream_content_filter", 400, False)),
    ("auth", ("upstream_auth", 502, False)),
    ("401", ("upstream_auth", 502, False)),
    ("invalid_request", ("upstream_invalid_request", 400, False)),
    ("badrequest", ("upstream_invalid_request", 400, False)),
    ("400", ("upstream_invalid_request", 400, False)),
)


def _error(chunk: _Chunk) -> Error:
    """An error in mid-stream. The provider's text stays out: it may quote anything."""
    said = chunk.error if isinstance(chunk.error, Mapping) else {}
    words = f"{said.get('type', chunk.type)} {said.get('code', chunk.code)}".lower()
    code, status, retryable = next(
        (meaning for word, meaning in _ERRORS if word in words), ("upstream_error", 502, True)
    )
    return Error(code, "The provider reported an error in its stream.", retryable, status)
