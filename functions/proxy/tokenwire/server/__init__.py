"""uvicorn with limits on what a client can use before its request has arrived.

uvicorn limits neither the size of a request's head nor the time that a head or a body takes, and
``limit_concurrency`` counts a connection only once its head is complete. ``http=`` is uvicorn's
extension point for protocols; docs/decisions.md has the reason why this one extends httptools.
"""

from __future__ import annotations

from typing import Any

from ..settings import Settings
from .limits import Limits, Waiting, possible_connections
from .protocol import BoundedConfig, BoundedProtocol
from .starts import StartLimiter

_ANSWER = 1.0
"""Seconds for the app to refuse a slow body in its caller's dialect, before the server closes."""
_DRAIN = 5
"""Seconds that open connections get to finish after their streams have been ended."""


class Config(BoundedConfig):
    """uvicorn's configuration, with the limits of its connections.

    Args:
        app: The ASGI app to serve.
        settings: The address, and the limits.
    """

    def __init__(self, app: Any, settings: Settings) -> None:
        super().__init__(
            app,
            host=settings.host,
            port=settings.port,
            http=BoundedProtocol,
            ws="none",
            log_level="warning",
            access_log=False,
            server_header=False,
            # The address of a client is that of its connection: anyone can send the headers that
            # name another.
            proxy_headers=False,
            timeout_graceful_shutdown=_DRAIN,
        )
        self.limits = Limits(
            settings.max_head_bytes,
            settings.timeout_head,
            settings.timeout_body + _ANSWER,
            settings.send_timeout,
            settings.max_connections,
        )
        self.starts = StartLimiter()
        self.waiting = Waiting(min(settings.max_connections, possible_connections()))
