"""The parts of one app, as every use case gets them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from ..auth.callers import Authenticator
from ..auth.tickets import Tickets
from ..settings import Settings
from ..streams.hub import Hub
from ..telemetry import Metrics
from .catalog import Catalog
from .held_requests import HeldRequests


class Invoker(Protocol):
    """What lets this function run once more."""

    async def invoke(self, function: str, event: bytes) -> None:
        """Have the function take this event, some time soon, in an invocation of its own.

        Raises:
            ProxyError: It will not be taken.
        """


@dataclass(frozen=True, slots=True)
class Services:
    """The parts of one app. Made by ``create_app``; nothing of it is global."""

    settings: Settings
    hub: Hub
    catalog: Catalog
    authenticate: Authenticator
    tickets: Tickets
    metrics: Metrics
    invoker: Invoker
    requests: HeldRequests = field(default_factory=HeldRequests)
