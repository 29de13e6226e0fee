"""A dialect in one file, outside the package: a question in, pieces of text out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Annotated, Any

from msgspec import Meta, Struct

from tokenwire.dialects.endpoint import Body, Endpoint, Schema
from tokenwire.dialects.origins import made
from tokenwire.dialects.protocol import JSON, Dialect, ParsedRequest
from tokenwire.dialects.schema import check
from tokenwire.events import Content, Error, Event, Finish
from tokenwire.sse import data_of

_END = b'data: {"over":true}\n\n'


class Question(Struct):
    """The request body."""

    question: Annotated[str, Meta(min_length=1)]
    model: str = "demo/markdown"
    stream: bool = False


class Decoder:
    """Reads ``{"text": …}``, and ``{"over": true}`` at the end."""

    may_lack_end = False

    def notable(self, block: bytes) -> bool:
        """Return whether the block is the terminator."""
        return self.ends(block)

    def decode(self, block: bytes) -> list[Event]:
        """Return the piece of text; at the end, the reason."""
        return [Finish("stop")] if self.ends(block) else [Content(_fields(block)["text"])]

    def ends(self, block: bytes) -> bool:
        """Return whether the block is the terminator."""
        return "over" in _fields(block)


class Encoder:
    """Writes what ``Decoder`` reads; keeps nothing."""

    held = 0

    def encode(self, event: Event) -> list[bytes]:
        """Return a block for a piece of text, and none for any other event."""
        return [_block({"text": event.delta})] if isinstance(event, Content) else []

    def end(self) -> list[bytes]:
        """Return the terminator."""
        return [_END]

    def error(self, error: Error) -> list[bytes]:
        """Return the error."""
        return [_block(error_body(error))]

    def interrupt(self, error: Error) -> list[bytes]:
        """Return the error."""
        return self.error(error)


def parse(raw: object) -> ParsedRequest:
    """Validate a request body."""
    body = check(raw, Question)
    model = body.get("model", "demo/markdown")
    return ParsedRequest(model, bool(body.get("stream")), body, dialect="toy")


def to_chat(body: JSON) -> JSON:
    """Return the request as one of ``chat``."""
    turn = made("question", {"role": "user", "content": body["question"]}, content="question")
    return made("", {"model": body.get("model", "demo/markdown"), "messages": [turn]})


def fold(blocks: Iterable[bytes]) -> JSON:
    """Return the answer as one object."""
    return {"answer": "".join(_fields(block).get("text", "") for block in blocks)}


def error_body(error: Error) -> JSON:
    """Return an error as one object."""
    return {"failed": error.code, "field": error.param}


def _block(fields: Mapping[str, Any]) -> bytes:
    return b"data: " + json.dumps(fields).encode() + b"\n\n"


def _fields(block: bytes) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(data_of(block) or b"{}")
    return found


_ENDPOINT = Endpoint(
    path="/v1/toy",
    summary="Ask a question",
    tag="Toy",
    body=Body("Question", Question, {"question": "Why?"}),
    answer=Schema("ToyAnswer", {"type": "object", "required": ["answer"]}),
    error=Schema("ToyError", {"type": "object", "required": ["failed"]}),
)
DIALECT = Dialect(
    "toy",
    Decoder,
    Encoder,
    parse,
    error_body,
    fold,
    to_chat,
    headers={"x-toy": "1"},
    endpoint=_ENDPOINT,
    resumes=True,
)


def at(path: str) -> Dialect:
    """Return the dialect with its endpoint at another path."""
    return replace(DIALECT, endpoint=replace(_ENDPOINT, path=path))
