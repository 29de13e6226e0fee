"""FastAPI dependencies: the app's parts, the caller and the record of a request."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Request

from ..auth.callers import Caller
from ..gateway.observation import Observation
from ..gateway.services import Services


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
