"""The services of one app, as every use case gets them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from ..auth.callers import Authenticator
from ..auth.tickets import Tickets
from ..dialects import Dialect
from ..providers.protocol import Role
from ..settings import Settings
from ..streams.hub import Hub
from ..telemetry import Metrics, Tracing
from .catalog import Catalog
from .checks import Checks
from .held_requests import HeldRequests


class Invoker(Protocol):
    """Starts further invocations of this Lambda function."""

    async def invoke(self, function: str, event: bytes) -> None:
        """Send the function an event, to be processed soon by an invocation of its own.

        Raises:
            ProxyError: Lambda does not accept the event.
        """


@dataclass(frozen=True, slots=True)
class Services:
    """The services of one app. Made by ``create_app``; none of them is global."""

    settings: Settings
    hub: Hub
    catalog: Catalog
    checks: Checks
    roles: Mapping[str, Role]
    authenticate: Authenticator
    tickets: Tickets
    metrics: Metrics
    invoker: Invoker
    dialects: Mapping[str, Dialect]
    security_schemes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    tracing: Tracing | None = None
    requests: HeldRequests = field(default_factory=HeldRequests)
