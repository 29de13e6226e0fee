"""Starlette on the layer: state from the lifespan, Lambda's context, and a stream."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypedDict

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route

from lambda_asgi import Context, Handler


class State(TypedDict):
    """What one environment's requests share."""

    greeting: str


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[State]:
    """Runs once in each environment: the place for clients and connections."""
    yield {"greeting": "hello"}


async def about(request: Request) -> JSONResponse:
    """What the environment and this invocation are."""
    context: Context = request.scope["aws.context"]
    return JSONResponse(
        {
            "greeting": request.state.greeting,
            "request_id": context.aws_request_id,
            "milliseconds_left": context.get_remaining_time_in_millis(),
        }
    )


async def clock(request: Request) -> StreamingResponse:
    """Server-Sent Events for as long as the client listens, or the deadline allows."""
    context: Context = request.scope["aws.context"]

    async def ticks() -> AsyncIterator[str]:
        number = 0
        while number < 5 and context.get_remaining_time_in_millis() > 1000:
            yield f"id: {number}\ndata: tick\n\n"
            number += 1
            await asyncio.sleep(0.1)

    return StreamingResponse(ticks(), media_type="text/event-stream")


handler = Handler(
    Starlette(routes=[Route("/about", about), Route("/clock", clock)], lifespan=lifespan)
)
