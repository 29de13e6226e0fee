"""Leases for viewers whose disconnect the server cannot detect, as behind a Lambda function URL.

A client that can take a lease sends a name of its choice (``X-Tokenwire-Viewer``). If the response
has ``X-Tokenwire-Lease: SECONDS``, the client must renew its lease within that time, and give it
up when it stops watching. ``/tokenwire.js`` does both.
"""

from __future__ import annotations

import re

from ..errors import ClientError
from ..streams.stream import Stream
from .context import RequestContext
from .services import Services

VIEWER_HEADER = "x-tokenwire-viewer"
LEASE_HEADER = "x-tokenwire-lease"
_VIEWER = re.compile(r"[A-Za-z0-9_-]{8,64}")


def check_viewer(name: str) -> str:
    """Return a viewer's name if it is well-formed.

    Raises:
        ClientError: It is malformed (``invalid_value``).
    """
    if not _VIEWER.fullmatch(name):
        raise ClientError(
            f"{VIEWER_HEADER} must have 8 to 64 letters, digits, - and _.",
            code="invalid_value",
            param=VIEWER_HEADER,
        )
    return name


async def viewer_lease(
    services: Services, context: RequestContext, stream: Stream, viewer: str | None
) -> float | None:
    """Take a lease for the client of this request where one is needed.

    Args:
        services: The app's services.
        context: The request's context.
        stream: The stream that the client watches.
        viewer: The client's name for itself, from ``X-Tokenwire-Viewer``.

    Returns:
        The lease in seconds; None where the client's connection is what counts.

    Raises:
        ClientError: The name is malformed.
    """
    hub, lease = services.hub, services.settings.viewer_lease
    if viewer is None or not hub.is_shared or not context.freezes or stream.end is not None:
        return None
    return lease if await hub.leases.grant(stream, check_viewer(viewer), lease) else None
