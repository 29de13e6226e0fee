"""Decode Chat Completions streams, including the variants that compatible servers send."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct

from ...events import Content, Error, Event, Finish, Reasoning, Start, ToolCall, Usage
from ...sse import data_of, event_of
from .. import signatures
from ..comparison import all_plain_by_comparison
from ..reading import malformed, notable_unless, read
from ..terminator import is_done
from ..upstream import reported
from .repair import OBJECT, part_text


class _Function(Struct):
    name: str | None = None
    arguments: str | None = None


class _ToolCall(Struct):
    index: int | None = None
    id: str | None = None
    function: _Function | None = None
    extra_content: Any = None  # Google


class _Delta(Struct):
    content: str | list[Any] | None = None  # a list of parts: Mistral, while it thinks
    refusal: str | None = None
    reasoning_content: str | None = None  # DeepSeek, vLLM
    reasoning: str | None = None  # OpenRouter, Groq
    tool_calls: list[_ToolCall] | None = None
    function_call: _Function | None = None  # the deprecated form of tool calls


class _Choice(Struct):
    index: int | None = None
    delta: _Delta | None = None
    finish_reason: str | None = None


class _Details(Struct):
    cached_tokens: int | None = None
    cache_write_tokens: int | None = None
    reasoning_tokens: int | None = None


class _Usage(Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _Details | None = None
    completion_tokens_details: _Details | None = None


class _Chunk(Struct):
    id: str | int | None = None
    object: str | None = None
    created: Any = None
    model: str | None = None
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: Any = None
    code: Any = None
    type: Any = None


class _PlainDelta(Struct, gc=False):
    content: str | None = None
    tool_calls: None = None


class _PlainChoice(Struct, gc=False):
    index: int
    delta: _PlainDelta
    finish_reason: None


class _Plain(Struct, gc=False):
    """A chunk with content only: no usage, finish reason or error, and no missing field."""

    id: str
    object: Literal["chat.completion.chunk"]
    created: int
    model: str
    choices: list[_PlainChoice]
    usage: None = None
    error: None = None


class _TextDelta(Struct, gc=False):
    content: str
    refusal: None = None
    reasoning_content: None = None
    reasoning: None = None
    tool_calls: None = None
    function_call: None = None


class _TextChoice(Struct, gc=False):
    delta: _TextDelta
    index: Literal[0]
    finish_reason: None = None


class _Text(Struct, gc=False):
    """A chunk of which ``decode`` makes nothing but pieces of content."""

    object: Literal["chat.completion.chunk"]
    choices: list[_TextChoice]
    usage: None = None
    error: None = None


# Not strict: a count may be a string, or a float without a fraction.
_CHUNK = msgspec.json.Decoder(_Chunk, strict=False)
_PLAIN = msgspec.json.Decoder(_Plain)
_TEXT = msgspec.json.Decoder(_Text)
_notable = notable_unless(b"data:", _PLAIN)


class ChatDecoder:
    """Decoder of one stream. Keeps the state that some servers omit from later chunks."""

    may_lack_end = True
    notable = staticmethod(_notable)
    """False for a chunk on one line that has plain choices only."""
    all_plain = staticmethod(all_plain_by_comparison(_notable, b"content", b"obfuscation"))
    """As ``hotpath.ReadsMany``."""

    def __init__(self) -> None:
        self._started = False
        # Position of each call by its id, per choice, in order of arrival.
        self._calls: dict[int, dict[str, int]] = {}

    def ends(self, block: bytes) -> bool:
        """Return whether the block is ``data: [DONE]``."""
        return is_done(block)

    def text_of(self, block: bytes) -> str | None:
        """As ``hotpath.ReadsText``."""
        if not self._started or not block.startswith(b"data:"):
            return None
        try:
            choices = _TEXT.decode(block[5:]).choices
        except (ValueError, RecursionError):
            return None
        return choices[0].delta.content or None if len(choices) == 1 else None

    def decode(self, block: bytes) -> list[Event]:
        """Return the chunk's events in display order.

        Raises:
            UpstreamError: The block is not a chunk (``upstream_malformed``).
        """
        data = data_of(block)
        if not data or self.ends(block):
            return []
        chunk = read(data, _CHUNK)
        if chunk.error or chunk.object == "error" or event_of(block) == b"error":
            return [_error(chunk)]
        if chunk.choices is None and chunk.usage is None and chunk.object != OBJECT:
            raise malformed()
        return list(self._events(chunk))

    def _events(self, chunk: _Chunk) -> Iterator[Event]:
        if not self._started and (chunk.choices or chunk.model):
            self._started = True
            yield Start(str(chunk.id or ""), chunk.model or "", _seconds(chunk.created))
        for choice in chunk.choices or ():
            yield from self._choice(choice)
        if chunk.usage is not None:
            yield _usage(chunk.usage)

    def _choice(self, choice: _Choice) -> Iterator[Event]:
        index = choice.index or 0
        if choice.delta is not None:
            yield from _text(choice.delta, index)
            yield from self._tool_calls(choice.delta, index)
        if choice.finish_reason:
            yield Finish(choice.finish_reason, index)

    def _tool_calls(self, delta: _Delta, index: int) -> Iterator[Event]:
        for call in delta.tool_calls or ():
            if signature := signatures.of_call({"extra_content": call.extra_content}):
                yield Reasoning("", index, signature=signatures.google(signature))
            yield self._tool_call(call, index)
        if delta.function_call is not None:
            yield self._tool_call(_ToolCall(0, None, delta.function_call), index)

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
        """Return the call's index. If the server omitted it, a new id starts a new call."""
        held = self._calls.setdefault(choice, {})
        if call.index is not None:
            return call.index
        if call.id is not None:
            return held.setdefault(call.id, len(held))
        return max(0, len(held) - 1)


def _text(delta: _Delta, index: int) -> Iterator[Event]:
    if thought := delta.reasoning_content or delta.reasoning:
        yield Reasoning(thought, index)
    if isinstance(delta.content, list):
        yield from _parts(delta.content, index)
    elif delta.content:
        yield Content(delta.content, index)
    if delta.refusal:
        yield Content(delta.refusal, index, refusal=True)


def _parts(parts: list[Any], choice: int) -> Iterator[Event]:
    """Yield text and reasoning from a list of content parts. A reasoning part holds texts."""
    for part in parts:
        if text := part_text(part):
            yield Content(text, choice)
        elif isinstance(part, dict) and isinstance(thoughts := part.get("thinking"), list):
            yield from (Reasoning(text, choice) for each in thoughts if (text := part_text(each)))


def _seconds(created: object) -> int:
    # The date is not essential: an invalid one must not fail the answer.
    return int(created) if isinstance(created, int | float) and 0 < created < 2**53 else 0


def _usage(usage: _Usage) -> Usage:
    prompt = usage.prompt_tokens_details or _Details()
    completion = usage.completion_tokens_details or _Details()
    return Usage(
        input_tokens=usage.prompt_tokens or 0,
        output_tokens=usage.completion_tokens or 0,
        cached_tokens=prompt.cached_tokens or 0,
        reasoning_tokens=completion.reasoning_tokens or 0,
        cache_write_tokens=prompt.cache_write_tokens or 0,
    )


# Substring of the error's type or code: our code. The first match applies.
_ERRORS = (
    ("quota", "upstream_quota"),
    ("rate_limit", "upstream_rate_limited"),
    ("ratelimit", "upstream_rate_limited"),
    ("429", "upstream_rate_limited"),
    ("overloaded", "upstream_overloaded"),
    ("unavailable", "upstream_overloaded"),
    ("503", "upstream_overloaded"),
    ("context_length", "upstream_context_length"),
    ("content_filter", "upstream_content_filter"),
    ("auth", "upstream_auth"),
    ("permission", "upstream_auth"),
    ("401", "upstream_auth"),
    ("403", "upstream_auth"),
    ("invalid_request", "upstream_invalid_request"),
    ("badrequest", "upstream_invalid_request"),
    ("400", "upstream_invalid_request"),
)


def _error(chunk: _Chunk) -> Error:
    error = chunk.error if isinstance(chunk.error, Mapping) else {}
    kind = f"{error.get('type', chunk.type)} {error.get('code', chunk.code)}".lower()
    return reported(next((code for word, code in _ERRORS if word in kind), "upstream_error"))
