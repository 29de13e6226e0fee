"""The interface of a dialect, as the other packages use it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from sys import getsizeof
from typing import Any, Protocol

from ..errors import ClientError, TokenwireError, UpstreamError
from ..events import Error, Event, ToolName
from .checks import valid_name
from .endpoint import Endpoint

JSON = dict[str, Any]


class Decoder(Protocol):
    """Decoder of one stream of a dialect. One object per stream; blocks are given in order."""

    def notable(self, block: bytes) -> bool:
        """Return whether the block must be decoded before it may be passed on.

        False only for a complete, well-formed block of a known shape that holds a piece of content
        and nothing else: no usage, finish, error or terminator. Takes about half a microsecond.
        """

    def decode(self, block: bytes) -> Sequence[Event]:
        """Return the block's events, in order; none for a block without meaning.

        Raises:
            UpstreamError: The block is not JSON, or not of the dialect (``upstream_malformed``).
        """

    def ends(self, block: bytes) -> bool:
        """Return whether the block is the dialect's terminator."""

    @property
    def may_lack_end(self) -> bool:
        """Whether a stream with a finish reason is complete without the terminator."""


class Repair(Protocol):
    """Correction of one provider's stream to the dialect's published schema."""

    def block(self, block: bytes) -> bytes:
        """Return the block to log; empty if it is dropped. Needed for notable blocks only.

        Raises:
            UpstreamError: The block is not JSON (``upstream_malformed``).
        """

    def rest(self) -> list[bytes]:
        """Return the blocks to log before the terminator."""


class AsIs:
    """No correction: for a dialect of one vendor, whose streams follow the schema."""

    def block(self, block: bytes) -> bytes:
        """Return the block unchanged."""
        return block

    def rest(self) -> list[bytes]:
        """Return nothing."""
        return []


class Encoder(Protocol):
    """Encoder of one stream of a dialect. One object per viewer; blocks have no ``id``."""

    @property
    def held(self) -> int:
        """Bytes of text kept in memory, because the end of the stream repeats them."""

    def encode(self, event: Event) -> list[bytes]:
        """Return the blocks of an event: several, one, or none. Not called with an ``Error``."""

    def end(self) -> list[bytes]:
        """Return the blocks that end a complete stream; the last is the terminator."""

    def error(self, error: Error) -> list[bytes]:
        """Return the blocks that end a stream that did not complete."""

    def interrupt(self, error: Error) -> list[bytes]:
        """Return the blocks that end one response while the stream continues.

        They are no records of the stream: they have no sequence number. They do not close items
        that continue after the client has resumed.
        """


@dataclass(frozen=True, slots=True)
class ParsedRequest:
    """A parsed and validated request.

    ``body`` is a request body of ``dialect``, including fields unknown to tokenwire. A provider
    of another dialect gets a ``chat`` body, which it may translate further; ``translated`` is
    True for a body that tokenwire wrote. ``headers`` are the caller's headers that are forwarded
    to a provider of the same dialect. ``on_disconnect`` is the policy that the body requests.

    Raises:
        ClientError: ``model`` is longer than 256 characters, or has control characters.
    """

    model: str
    stream: bool
    body: JSON = field(repr=False)
    dialect: str = "chat"
    translated: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    on_disconnect: str | None = None

    def __post_init__(self) -> None:
        """Check the model's name, in every dialect."""
        valid_name(self.model, "model")


@dataclass(frozen=True, slots=True)
class Reference:
    """A reference to an item of an earlier response.

    Args:
        at: Its path in the request.
        item: The item's id.
        stream: The id of the item's stream.
    """

    at: str
    item: str
    stream: str


class ItemEncoder(Encoder, Protocol):
    """An encoder that keeps the items of the response that it has encoded."""

    def items(self) -> Mapping[str, JSON]:
        """Return the items by their ids."""


@dataclass(frozen=True, slots=True)
class ItemReferences:
    """How the requests of a dialect refer to items of earlier responses.

    Args:
        find: Returns the references of a request body, in order. Raises ClientError (404).
        fill: Returns a body with its references replaced by the items, which are given by id.
        missing: Returns the error for a reference, given by its path, whose item is not in memory.
        encoder: Creates an encoder that keeps items.
    """

    find: Callable[[JSON], list[Reference]]
    fill: Callable[[JSON, Mapping[str, JSON]], JSON]
    missing: Callable[[str], ClientError]
    encoder: Callable[[], ItemEncoder]


@dataclass(frozen=True, slots=True)
class Output:
    """What one client gets of a stream.

    Args:
        encoder: Creates the encoder for this client.
        surplus: Returns whether a block is left out because this client did not request it.
        may_be_surplus: Returns whether one of several blocks, given as their bytes, may be
            surplus: usually none of the hundreds in one read is.
    """

    encoder: Callable[[], Encoder]
    surplus: Callable[[bytes], bool] | None = None
    may_be_surplus: Callable[[bytes], bool] = lambda _: True


@dataclass(frozen=True, slots=True)
class OutputOptions:
    """What one client requests.

    Args:
        request: The request that started the stream; None for a client that joins it by its id.
        usage: Whether a client that joins wants the usage, if that is optional.
    """

    request: ParsedRequest | None = None
    usage: bool = False


def _no_tools(_: JSON) -> tuple[ToolName, ...]:
    """Return nothing: most dialects keep the names of tools."""
    return ()


@dataclass(frozen=True, slots=True)
class Dialect:
    """One client protocol: how to parse its requests and how to decode and encode its streams.

    Args:
        name: The name used in ``?format=`` and in the log line.
        decoder: Creates a decoder for one stream.
        encoder: Creates an encoder for one viewer.
        parse: Validates a decoded JSON body and returns a ``ParsedRequest``.
        error_body: Returns the JSON body of an error response, before any byte of a stream.
        fold: Combines the blocks of a complete stream into the non-streaming response. Raises
            UpstreamError if they are not of this dialect.
        to_chat: Translates a request body to ``chat``. Raises ClientError, naming the field,
            if a field has no counterpart.
        tools: Returns the tools of a request body that ``to_chat`` renames.
        headers: Response headers that the dialect's clients need.
        forwarded: Request headers (lower case) that a provider of the same dialect gets, and
            the pattern of their values.
        repair: Creates the correction for one provider's stream.
        output: Returns what a client with these options gets; None if that is always everything.
        endpoint: The dialect's HTTP endpoint; None if the dialect is only a ``?format=``.
        resumes: Whether the dialect's clients can resume a stream. A stream then waits for some
            seconds for a client that has disconnected.
        keeps_request: Whether clients can read their request back by the stream's id.
        item_references: How requests refer to items of earlier responses; None if they cannot.
        chat_field: The field of the request body with the id of a chat, by which clients find the
            stream again; empty if there is none.
    """

    name: str
    decoder: Callable[[], Decoder]
    encoder: Callable[[], Encoder]
    parse: Callable[[object], ParsedRequest]
    error_body: Callable[[Error], JSON]
    fold: Callable[[Iterable[bytes]], JSON]
    to_chat: Callable[[JSON], JSON]
    tools: Callable[[JSON], tuple[ToolName, ...]] = _no_tools
    headers: Mapping[str, str] = field(default_factory=dict)
    forwarded: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    repair: Callable[[], Repair] = AsIs
    output: Callable[[OutputOptions], Output] | None = None
    endpoint: Endpoint | None = None
    resumes: bool = False
    keeps_request: bool = False
    item_references: ItemReferences | None = None
    chat_field: str = ""

    def output_for(self, options: OutputOptions) -> Output:
        """Return what a client with these options gets of a stream."""
        return Output(self.encoder) if self.output is None else self.output(options)


def as_event(error: TokenwireError) -> Error:
    """Return the error as an event, for an encoder."""
    return Error(
        code=error.code,
        message=error.message,
        retryable=error.retryable,
        status=error.status,
        param=error.param,
        retry_after=error.retry_after,
    )


def as_exception(error: Error) -> TokenwireError:
    """Return the error as an exception, for a response that has not started."""
    return UpstreamError(
        error.message,
        code=error.code,
        status=error.status,
        param=error.param,
        retryable=error.retryable,
        retry_after=error.retry_after,
    )


def size_of(*texts: str | None) -> int:
    """Return the bytes that strings take as items of a list."""
    return sum(getsizeof(text) + 8 for text in texts if text)
