"""Convert streams of Gemini's native API to Messages streams.

The native API has what the OpenAI-compatible one omits: reasoning with signatures, grounding
sources, and the reason why an answer was blocked.
https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator

import msgspec

from ...dialects import signatures
from ...dialects.messages.encode import MessagesEncoder
from ...dialects.reading import malformed, read
from ...dialects.upstream import reported
from ...events import Citation, Content, Error, Event, Finish, Reasoning, Start, ToolCall, Usage
from ...sse import BlockTooLarge, Splitter, data_of
from .chunks import CHUNK, Call, Candidate, Chunk, Counts, Failure, Grounding, Part

# fmt: off
_REASONS = {"STOP": "stop", "MAX_TOKENS": "length", "CONTINUATION": "length"} | dict.fromkeys([
    "SAFETY", "RECITATION", "LANGUAGE", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY",
    "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "ESCALATION", "PUP_LIMITED_DISABLED",
    "MODEL_ARMOR",
], "content_filter")
# Google could not parse the model's output: the answer failed and must not look complete.
_FAILURES = frozenset([
    "MALFORMED_FUNCTION_CALL", "UNEXPECTED_TOOL_CALL", "TOO_MANY_TOOL_CALLS", "MALFORMED_RESPONSE",
    "MISSING_THOUGHT_SIGNATURE",
])
# fmt: on
_ERRORS = {
    "RESOURCE_EXHAUSTED": "upstream_rate_limited",
    "UNAVAILABLE": "upstream_overloaded",
    "DEADLINE_EXCEEDED": "upstream_timeout",
}


class GeminiReader:
    """Converter of one stream to blocks of a Messages stream; bytes may be split anywhere.

    Args:
        model: Google's name of the model.
        one_call: Whether to drop tool calls after the first: Gemini has no parameter that
            disables parallel tool calls.
    """

    def __init__(self, model: str, *, one_call: bool = False) -> None:
        self._model = model
        self._id = secrets.token_hex(12)
        self._one_call = one_call
        self._splitter = Splitter()
        self._encoder = MessagesEncoder()
        self._calls = 0
        self._reason: str | None = None
        self._usage: Usage | None = None
        self._failed = False

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Yield the blocks that these bytes complete. The iterator must be exhausted.

        Raises:
            UpstreamError: A block is not Gemini's, or too large (``upstream_malformed``). Earlier
                blocks are yielded.
        """
        try:
            for block in self._splitter.blocks(data):
                yield from self._blocks(block)
        except BlockTooLarge as error:
            raise malformed() from error

    def _blocks(self, block: bytes) -> Iterator[bytes]:
        for event in self._events(read(data_of(block) or b"{}", CHUNK)):
            if self._failed:
                return
            if isinstance(event, Error):
                self._failed = True
                yield from self._encoder.error(event)
            else:
                yield from self._encoder.encode(event)

    def close(self) -> bytes:
        """Return the end of a stream with a finish reason; nothing for a stream that broke off."""
        if self._reason is None or self._failed:
            return b""
        blocks = self._encoder.encode(Finish(self._finish_reason(self._reason)))
        blocks += self._encoder.encode(self._usage) if self._usage else []
        return b"".join([*blocks, *self._encoder.end()])

    def _finish_reason(self, reason: str) -> str:
        known = _REASONS.get(reason, "stop")
        return "tool_calls" if self._calls and known == "stop" else known

    def _events(self, chunk: Chunk) -> Iterator[Event]:
        if chunk.error:
            yield _error(chunk.error)
            return
        yield Start(chunk.response_id or self._id, chunk.model_version or self._model)
        for candidate in chunk.candidates or ():
            yield from self._candidate(candidate)
        if chunk.prompt_feedback and chunk.prompt_feedback.block_reason:
            self._reason = "SAFETY"
        if chunk.usage_metadata:
            self._usage = _usage(chunk.usage_metadata)

    def _candidate(self, candidate: Candidate) -> Iterator[Event]:
        if candidate.index:
            return
        for part in (candidate.content.parts if candidate.content else None) or ():
            yield from self._part(part)
        if candidate.grounding_metadata:
            yield from _citations(candidate.grounding_metadata)
        if candidate.finish_reason in _FAILURES:
            yield _error(Failure())
        self._reason = candidate.finish_reason or self._reason

    def _part(self, part: Part) -> Iterator[Event]:
        signature = signatures.google(part.thought_signature or "")
        signed = [Reasoning("", signature=signature)] if part.thought_signature else []
        if part.function_call:
            yield from self._call(part.function_call, signed)
            return
        if part.text:
            yield Reasoning(part.text) if part.thought else Content(part.text)
        yield from signed

    def _call(self, call: Call, signed: list[Reasoning]) -> Iterator[Event]:
        number, self._calls = self._calls, self._calls + 1
        if number and self._one_call:
            return
        yield from signed
        arguments = msgspec.json.encode(call.args or {}).decode()
        # A generated id must be unique within the conversation: results refer to it.
        yield ToolCall(number, call.id or f"call_{secrets.token_hex(8)}", call.name, arguments)


def _citations(grounding: Grounding) -> Iterator[Citation]:
    for source in grounding.grounding_chunks or ():
        if source.web:
            yield Citation(source.web.uri or "", source.web.title or "")


def _usage(counts: Counts) -> Usage:
    thoughts = counts.thoughts_token_count or 0
    return Usage(
        input_tokens=(counts.prompt_token_count or 0) + (counts.tool_use_prompt_token_count or 0),
        # Google counts reasoning separately; other providers include it in the output.
        output_tokens=(counts.candidates_token_count or 0) + thoughts,
        cached_tokens=counts.cached_content_token_count or 0,
        reasoning_tokens=thoughts,
    )


def _error(failure: Failure) -> Error:
    return reported(_ERRORS.get(failure.status or "", "upstream_error"))
