"""What a dialect is: the doors that the other rooms use."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from sys import getsizeof
from typing import Any, Protocol

from ..errors import TokenwireError, UpstreamError
from ..events import Error, Event, ToolName

JSON = dict[str, Any]


class Decoder(Protocol):
    """Reads one stream of a dialect. One object per stream, fed in order."""

    def notable(self, block: bytes) -> bool:
        """Whether the block must be decoded before it may be passed on.

        False only for a block that is whole and well-formed, of the dialect's known shape, and
        holds no more than a piece of content: no usage, finish, error or terminator. Costs
        about half a microsecond.
        """

    def decode(self, block: bytes) -> Sequence[Event]:
        """The block's events, in order; none for a block without meaning.

        Raises:
            UpstreamError: The block is not JSON, or of no shape that the dialect has
                (code ``upstream_malformed``).
        """

    def ends(self, block: bytes) -> bool:
        """Whether the block is the dialect's terminator."""

    @property
    def may_lack_end(self) -> bool:
        """Whether a stream with a finish reason is complete without the terminator."""


class Repair(Protocol):
    """Makes the blocks of one provider's stream fit the dialect's published schema."""

    def block(self, block: bytes) -> bytes:
        """The block as it is kept; empty if it is not. Needed for notable blocks alone.

        Raises:
            UpstreamError: The block is not JSON (code ``upstream_malformed``).
        """

    def rest(self) -> list[bytes]:
        """What is kept before the terminator."""


class AsIs:
    """Keeps every block: for a dialect with one owner, whose streams fit."""

    def block(self, block: bytes) -> bytes:
        """The same."""
        return block

    def rest(self) -> list[bytes]:
        """Nothing."""
        return []


class Encoder(Protocol):
    """Writes one stream of a dialect. One object per viewer; blocks without ``id``."""

    @property
    def held(self) -> int:
        """Bytes of text that it keeps, because the end of the stream repeats them."""

    def encode(self, event: Event) -> list[bytes]:
        """The blocks that say this event: several, one, or none. Never for an ``Error``."""

    def end(self) -> list[bytes]:
        """The blocks that close a stream that is whole; the last is the terminator."""

    def error(self, error: Error) -> list[bytes]:
        """The blocks that close a stream that is not."""

    def interrupt(self, error: Error) -> list[bytes]:
        """The blocks that end one response to a stream that may go on.

        They are no part of the stream: they use up no number, and close nothing that a client
        would go on with after it has resumed.
        """


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A caller's request, read and validated.

    ``body`` is a request body of ``dialect``; fields that tokenwire does not know are in it
    untouched. A provider gets its own dialect's, or else that of ``chat``, from which it
    translates; ``translated`` says that it has been, so its words are ours to choose.
    ``headers`` are those of the caller's that a provider of the same dialect gets.
    """

    model: str
    stream: bool
    body: JSON = field(repr=False)
    dialect: str = "chat"
    translated: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)


def _no_tools(_: JSON) -> tuple[ToolName, ...]:
    """Tools keep their names in most dialects."""
    return ()


@dataclass(frozen=True, slots=True)
class Dialect:
    """One protocol, as a value: how to read it, write it, and say an error in it.

    Args:
        name: As in ``?format=`` and in the log line.
        decoder: Makes a decoder for one stream.
        encoder: Makes an encoder for one viewer.
        parse: A request body (already decoded JSON) to a ``ChatRequest``.
        error_body: The JSON body of an error response, before any byte of a stream.
        fold: The blocks of a whole stream to the answer that it would have been without
            ``stream``. Raises UpstreamError if they are not of this dialect.
        to_chat: A request body of this dialect as one of ``chat``. Raises ClientError, naming
            the field, for what cannot be said there.
        tools: The tools of a request body of this dialect that ``to_chat`` renames.
        headers: Response headers that the dialect's clients need, beside the common ones.
        forwarded: Request headers that a provider of the same dialect gets, in lower case, and
            what their values must be.
        repair: Makes what mends one provider's stream.
    """

    name: str
    decoder: Callable[[], Decoder]
    encoder: Callable[[], Encoder]
    parse: Callable[[object], ChatRequest]
    error_body: Callable[[Error], JSON]
    fold: Callable[[Iterable[bytes]], JSON]
    to_chat: Callable[[JSON], JSON]
    tools: Callable[[JSON], tuple[ToolName, ...]] = _no_tools
    headers: Mapping[str, str] = field(default_factory=dict)
    forwarded: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    repair: Callable[[], Repair] = AsIs


def as_event(error: TokenwireError) -> Error:
    """The same error as an event, for an encoder."""
    return Error(
        code=error.code,
        message=error.message,
        retryable=error.retryable,
        status=error.status,
        param=error.param,
        retry_after=error.retry_after,
    )


def as_exception(error: Error) -> TokenwireError:
    """The same error as an exception, for a response that has not begun."""
    return UpstreamError(
        error.message,
        code=error.code,
        status=error.status,
        param=error.param,
        retryable=error.retryable,
        retry_after=error.retry_after,
    )


def size_of(*texts: str | None) -> int:
    """Bytes that pieces of text take in a list of them."""
    return sum(getsizeof(text) + 8 for text in texts if text)
