"""Views: what one client reads of a stream, from which record, and in which dialect."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..dialects.protocol import Dialect, Output
from ..stores.records import Cursor
from ..streams.rendering import Ids, Rendering, Translated, Verbatim
from ..streams.stream import Stream, first_after
from .context import RequestContext
from .presence import viewer_lease
from .services import Services
from .translation import decoder_of


@dataclass(frozen=True, slots=True)
class View:
    """One client's view of a stream.

    Args:
        stream: The stream.
        dialect: The dialect that the client reads.
        first: The number of the first record to read. Where a decoder needs the records before
            it, that is earlier than the first record to send.
        rendering: Turns records into the bytes of the response.
        lease: Seconds of the client's lease as a viewer; None where its connection is what counts.
    """

    stream: Stream
    dialect: Dialect
    first: int
    rendering: Rendering
    lease: float | None = None


def join(
    dialects: Mapping[str, Dialect],
    stream: Stream,
    dialect: Dialect,
    cursor: Cursor | None = None,
    *,
    output: Output | None = None,
    id_prefix: str = "",
) -> View:
    """Return the view of a client that reads ``dialect`` from ``cursor`` on.

    Args:
        dialects: All dialects that this app has.
        stream: The stream.
        dialect: The client's.
        cursor: The last record that the client has; None if it has none.
        output: What the client gets of the stream; by default everything.
        id_prefix: Stands before each event's id.

    Raises:
        ClientError: The cursor does not belong to this stream.
        ProxyError: As ``decoder_of``.
    """
    output = output or Output(dialect.encoder)
    first, ids = first_after(stream, cursor), Ids(id_prefix, cursor)
    if dialect.name == stream.meta.dialect:
        rendering = Verbatim(output.encoder(), ids, output.surplus, output.may_be_surplus)
        return View(stream, dialect, max(first, 1), rendering)
    decoder = decoder_of(dialects, stream)
    translation = Translated(decoder, output.encoder(), ids, muted=first - 1)
    # Replay from the start of what is held, but do not hide that a wanted record is gone.
    return View(stream, dialect, min(max(first, 1), stream.tail.first), translation)


async def leased_view(
    services: Services,
    context: RequestContext,
    stream: Stream,
    dialect: Dialect,
    cursor: Cursor | None,
    viewer: str | None,
    *,
    output: Output | None = None,
    id_prefix: str = "",
) -> View:
    """As ``join``, for a client that may name itself as a viewer: with its lease.

    Raises:
        ClientError: As ``join``; or the viewer's name is malformed.
        ProxyError: As ``join``.
    """
    lease = await viewer_lease(services, context, stream, viewer)
    view = join(services.dialects, stream, dialect, cursor, output=output, id_prefix=id_prefix)
    return replace(view, lease=lease)
