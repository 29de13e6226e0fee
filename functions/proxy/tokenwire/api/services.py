"""What every route is given: the app's parts, and who is calling."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Protocol

from fastapi import Depends, Request

from ..auth.callers import Authenticator, Caller
from ..auth.tickets import Tickets
from ..settings import Settings
from ..streams.hub import Hub
from ..telemetry import Metrics
from .catalog import Catalog
from .observation import Observation
from .requests_held import HeldRequests


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


def services(request: Request) -> Services:
    """The parts of the app that serves this request."""
    found: Services = request.app.state.services
    return found


def observation(request: Request) -> Observation:
    """The record of this request, for its log line."""
    found: Observation = request.scope["state"]["observation"]
    return found


async def caller(request: Request) -> Caller:
    """Who is calling.

    Raises:
        ClientError: They will not be served (401 or 403).
    """
    who = await services(request).authenticate(request.scope)
    observation(request).log.caller = who.id
    return who


Parts = Annotated[Services, Depends(services)]
Who = Annotated[Caller, Depends(caller)]
Observed = Annotated[Observation, Depends(observation)]
