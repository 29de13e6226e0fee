"""What one client gets of a stream, where clients of its dialect can ask for more or less."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ..dialects import chat
from ..dialects.protocol import Dialect, Encoder


@dataclass(frozen=True, slots=True)
class Output:
    """What one client gets of a stream.

    Args:
        encoder: Writes the stream in the client's dialect.
        surplus: Tells blocks of that dialect that the client did not ask for.
    """

    encoder: Callable[[], Encoder]
    surplus: Callable[[bytes], bool] | None = None


def output(dialect: Dialect, *, usage: bool) -> Output:
    """The output in a dialect. ``usage`` matters to ``chat`` alone, where a client asks for it."""
    if dialect is not chat.DIALECT:
        return Output(dialect.encoder)
    return Output(partial(chat.ChatEncoder, usage=usage), None if usage else chat.only_usage)
