"""From a stream to one client's rendering of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..dialects import DIALECTS
from ..dialects.protocol import Dialect, Encoder
from ..stores.records import Cursor
from ..streams.stream import Stream, first_after
from ..streams.viewer import Ids, Rendering, Translated, Verbatim


@dataclass(frozen=True, slots=True)
class Reading:
    """Where a client joins a stream, and in which words.

    ``replay`` is the number of the first record that must be read: earlier than the first to
    be said, where a decoder must see what came before.
    """

    replay: int
    rendering: Rendering


def join(
    stream: Stream,
    dialect: Dialect,
    cursor: Cursor | None = None,
    *,
    prefix: str = "",
    surplus: Callable[[bytes], bool] | None = None,
    encoder: Encoder | None = None,
) -> Reading:
    """How a client of ``dialect`` reads the stream from ``cursor`` on.

    Args:
        stream: What is read.
        dialect: The client's.
        cursor: What it has; None for a client that has nothing.
        prefix: Stands before each id.
        surplus: Tells blocks to be left out.
        encoder: Other than a new one of the dialect's.

    Raises:
        ClientError: The cursor is not of this stream.
    """
    first, ids = first_after(stream, cursor), Ids(prefix, cursor)
    if dialect.name == stream.meta.dialect:
        return Reading(max(first, 1), Verbatim(encoder or dialect.encoder(), ids, surplus))
    decoder = DIALECTS[stream.meta.dialect].decoder()
    rendering = Translated(decoder, encoder or dialect.encoder(), ids, muted=first - 1)
    # Replay from the start of what is held, but do not hide that a wanted record is gone.
    return Reading(min(max(first, 1), stream.tail.first), rendering)
