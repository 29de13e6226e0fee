"""Viewers whose going cannot be seen: behind a function URL, a client says itself that it is there.

A client that can do so sends a name of its own making (``X-Tokenwire-Viewer``). If the answer
has ``X-Tokenwire-Lease: SECONDS``, the server would not notice it leave: it is to renew its
lease well within that time, and to say so when it leaves. ``/tokenwire.js`` does both.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..errors import ClientError
from ..streams.stream import Stream
from .observation import Observation
from .services import Services

VIEWER_HEADER = "x-tokenwire-viewer"
LEASE_HEADER = "x-tokenwire-lease"
_VIEWER = re.compile(r"[A-Za-z0-9_-]{8,64}")


@dataclass(frozen=True, slots=True)
class Seat:
    """How a client's presence is known: by its connection, or by its lease."""

    visible: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)


def viewer_of(name: str) -> str:
    """The name of a viewer.

    Raises:
        ClientError: It is malformed (``invalid_value``).
    """
    if not _VIEWER.fullmatch(name):
        raise ClientError(
            "A viewer's name has 8 to 64 letters, digits, - and _.",
            code="invalid_value",
            param=VIEWER_HEADER,
        )
    return name


async def seat(name: str | None, services: Services, stream: Stream, seen: Observation) -> Seat:
    """How the presence of this client is known.

    Args:
        name: The client's name for itself, from ``X-Tokenwire-Viewer``.
        services: The app's parts.
        stream: What the client watches.
        seen: The request's record.

    Raises:
        ClientError: The name is malformed.
    """
    hub, lease = services.hub, services.settings.viewer_lease
    if name is None or not hub.is_shared or not seen.freezes or stream.end is not None:
        return Seat()
    if not await hub.grant_lease(stream, viewer_of(name), lease):
        return Seat()
    return Seat(visible=False, headers={LEASE_HEADER: f"{lease:g}"})
