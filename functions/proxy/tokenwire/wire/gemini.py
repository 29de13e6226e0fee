"""Gemini's native API, as the Messages API would say it: what its OpenAI-compatible one leaves out.

That is thinking with its signatures, grounding sources, and why an answer was blocked.
https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from ..events import Citation, Content, Error, Event, Finish, Reasoning, Start, ToolCall, Usage
from ..sse import BlockTooLarge, Splitter, data_of
from .messages_encoder import MessagesEncoder
from .protocol import JSON
from .reading import malformed, read

_JSON = msgspec.json.Decoder(dict[str, Any])
_REASONS = {"STOP": "stop", "MAX_TOKENS": "length"}
_ERRORS = {
    "RESOURCE_EXHAUSTED": ("upstream_rate_limited", 429),
    "UNAVAILABLE": ("upstream_overloaded", 503),
    "DEADLINE_EXCEEDED": ("upstream_timeout", 504),
}


class GeminiReader:
    """One stream as blocks of a Messages stream; bytes may come cut anywhere.

    Args:
        model: By Google's name.
    """

    def __init__(self, model: str) -> None:
        self._model = model
        self._splitter = Splitter()
        self._encoder = MessagesEncoder()
        self._calls = 0
        self._reason: str | None = None
        self._usage: Usage | None = None
        self._failed = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the blocks that these bytes complete. To be read to its end.

        Raises:
            UpstreamError: A block is not Gemini's, or too large (``upstream_malformed``). What
                the blocks before it say has been yielded.
        """
        failure: BlockTooLarge | None = None
        try:
            blocks = self._splitter.feed(data)
        except BlockTooLarge as error:
            blocks, failure = error.blocks, error
        for block in blocks:
            yield from self._said(block)
        if failure is not None:
            raise malformed() from failure

    def _said(self, block: bytes) -> Iterator[bytes]:
        for event in self._events(read(data_of(block) or b"{}", _JSON)):
            if self._failed:
                return
            if isinstance(event, Error):
                self._failed = True
                yield from self._encoder.error(event)
            else:
                yield from self._encoder.encode(event)

    def close(self) -> bytes:
        """The end of a stream whose model had finished; nothing for one that broke off."""
        if self._reason is None or self._failed:
            return b""
        reason = "tool_calls" if self._calls and self._reason == "stop" else self._reason
        said = self._encoder.encode(Finish(reason))
        said += self._encoder.encode(self._usage) if self._usage else []
        return b"".join([*said, *self._encoder.end()])

    def _events(self, chunk: JSON) -> Iterator[Event]:
        if error := chunk.get("error"):
            yield _error(error)
            return
        yield Start(
            str(chunk.get("responseId") or ""), str(chunk.get("modelVersion") or self._model)
        )
        for candidate in chunk.get("candidates") or ():
            yield from self._candidate(candidate)
        if (chunk.get("promptFeedback") or {}).get("blockReason"):
            self._reason = "content_filter"
        if counts := chunk.get("usageMetadata"):
            self._usage = _usage(counts)

    def _candidate(self, candidate: JSON) -> Iterator[Event]:
        if candidate.get("index"):
            return
        for part in (candidate.get("content") or {}).get("parts") or ():
            yield from self._part(part)
        for chunk in (candidate.get("groundingMetadata") or {}).get("groundingChunks") or ():
            web = chunk.get("web") or {}
            yield Citation(str(web.get("uri") or ""), str(web.get("title") or ""))
        if reason := candidate.get("finishReason"):
            self._reason = _REASONS.get(reason, "content_filter")

    def _part(self, part: JSON) -> Iterator[Event]:
        signature = part.get("thoughtSignature")
        signed = [Reasoning("", signature=str(signature))] if signature else []
        if call := part.get("functionCall"):
            yield from signed
            number, self._calls = self._calls, self._calls + 1
            arguments = msgspec.json.encode(call.get("args") or {}).decode()
            yield ToolCall(number, call.get("id") or f"call_{number}", call.get("name"), arguments)
            return
        if text := part.get("text"):
            yield Reasoning(text) if part.get("thought") else Content(text)
        yield from signed


def _usage(counts: JSON) -> Usage:
    thoughts = counts.get("thoughtsTokenCount") or 0
    return Usage(
        input_tokens=counts.get("promptTokenCount") or 0,
        # Google counts thinking beside the answer; everybody else within it.
        output_tokens=(counts.get("candidatesTokenCount") or 0) + thoughts,
        cached_tokens=counts.get("cachedContentTokenCount") or 0,
        reasoning_tokens=thoughts,
    )


def _error(said: object) -> Error:
    """The provider's text stays out: it may quote anything."""
    status = said.get("status") if isinstance(said, dict) else None
    code, number = _ERRORS.get(str(status), ("upstream_error", 502))
    return Error(
        code, "The provider reported an error in its stream.", retryable=True, status=number
    )
