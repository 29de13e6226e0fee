"""The chunks of a Gemini stream; only the fields that are used."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from ...dialects.reading import malformed, read


class Call(Struct, rename="camel"):
    """A function call; its arguments are always complete."""

    name: str = ""
    args: dict[str, Any] | None = None
    id: str | None = None


class Part(Struct, rename="camel"):
    """A piece of the answer. ``thought`` marks reasoning."""

    text: str | None = None
    thought: bool = False
    thought_signature: str | None = None
    function_call: Call | None = None


class Content(Struct, rename="camel"):
    """The content that one candidate adds."""

    parts: list[Part] | None = None


class Web(Struct, rename="camel"):
    """A web page used as a source."""

    uri: str | None = None
    title: str | None = None


class GroundingSource(Struct, rename="camel"):
    """A source of an answer."""

    web: Web | None = None


class Grounding(Struct, rename="camel"):
    """The sources of an answer."""

    grounding_chunks: list[GroundingSource] | None = None


class Candidate(Struct, rename="camel"):
    """One of several parallel answers; only the first is used."""

    index: int = 0
    content: Content | None = None
    finish_reason: str | None = None
    grounding_metadata: Grounding | None = None


class Feedback(Struct, rename="camel"):
    """The reason why a prompt was blocked."""

    block_reason: str | None = None


class Counts(Struct, rename="camel"):
    """Token counts, in Google's form: reasoning is not part of the answer's count."""

    prompt_token_count: int | None = None
    tool_use_prompt_token_count: int | None = None
    candidates_token_count: int | None = None
    thoughts_token_count: int | None = None
    cached_content_token_count: int | None = None


class Failure(Struct, rename="camel"):
    """An error inside the stream. Its message is not read: it may contain anything."""

    status: str | None = None


class Chunk(Struct, rename="camel"):
    """A ``GenerateContentResponse``, or an error instead of it."""

    response_id: str | None = None
    model_version: str | None = None
    candidates: list[Candidate] | None = None
    prompt_feedback: Feedback | None = None
    usage_metadata: Counts | None = None
    error: Failure | None = None


CHUNK = msgspec.json.Decoder(Chunk)
_DOCUMENT = msgspec.json.Decoder(list[msgspec.Raw] | dict[str, Any])


def event_stream(document: bytes) -> bytes:
    """Convert one JSON document (a chunk or a list of chunks) to an event stream.

    Raises:
        UpstreamError: The document is neither (``upstream_malformed``).
    """
    found = read(document, _DOCUMENT)
    chunks = found if isinstance(found, list) else [document]
    if isinstance(found, dict) and not found.keys() & {"candidates", "promptFeedback", "error"}:
        raise malformed()
    return b"".join(b"data: " + msgspec.json.format(chunk, indent=-1) + b"\n\n" for chunk in chunks)
