"""Schema of the request bodies of ``/api/stream`` and ``/v1/streams``."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from ..chat.schema import Message, Options


class Request(Options, kw_only=True):
    """Either ``message`` or ``messages``, and options."""

    message: str | None = None
    messages: Annotated[list[Message], Meta(min_length=1)] | None = None
    system: str | None = None
    model: str | None = None
    on_disconnect: str | None = None
