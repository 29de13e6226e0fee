"""The handler: one object that the stock runtime can call and that our loop can stream from."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from mangum.adapter import DEFAULT_TEXT_MIME_TYPES
from mangum.handlers import ALB, APIGateway, HTTPGateway
from mangum.types import LambdaConfig, LambdaHandler

from . import authority
from .context import Context
from .cycle import Request, buffered
from .lifespan import Lifespan
from .loop import new_loop
from .types import ASGIApp, Event, Scope

_DOORS: tuple[type[LambdaHandler], ...] = (ALB, HTTPGateway, APIGateway)

OnEvent = Callable[[Event, Context], Awaitable[object]]

_CONFIG = LambdaConfig(
    api_gateway_base_path="/", text_mime_types=DEFAULT_TEXT_MIME_TYPES, exclude_headers=[]
)


class UnsupportedEvent(Exception):
    """An event that no front door of HTTP sends, and no ``on_event`` to take it."""


class Handler:
    """An ASGI app as a Lambda function.

    Under the layer's wrapper the runtime loop streams its responses. Called as an ordinary
    handler, by the stock runtime, it answers buffered. The app's lifespan runs once per
    environment either way.

    Args:
        app: Any ASGI 3 app.
        stream_rest: Whether REST API events are streamed; for APIs whose integration has
            ``responseTransferMode: STREAM``. An event does not say so itself. None asks
            ``LAMBDA_ASGI_STREAM_REST``.
        on_event: Takes events that are not HTTP, such as a worker's; what it returns is the
            invocation's JSON answer.
        environ: The process's environment.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        stream_rest: bool | None = None,
        on_event: OnEvent | None = None,
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.app = app
        self.on_event = on_event
        self.lifespan = Lifespan(app)
        self._environ = environ
        self._streams_url = environ.get("LAMBDA_ASGI_STREAM_URL", "1") == "1"
        asked = environ.get("LAMBDA_ASGI_STREAM_REST") == "1"
        self._streams_rest = asked if stream_rest is None else stream_rest
        # SAM's emulator and its front door take whole JSON answers only.
        self._buffers_all = environ.get("AWS_SAM_LOCAL") == "true"
        self._loop: asyncio.AbstractEventLoop | None = None

    def __call__(self, event: Event, context: Any) -> Any:
        """Answer one event, buffered; for the stock runtime. One loop, one lifespan, for all.

        Raises:
            LifespanError: The app cannot start; the next call tries again.
            UnsupportedEvent: Nobody takes this event.
        """
        cold_start = self._loop is None
        loop = self._loop or self._started_loop()
        ours = Context.adopt(context, self._environ, cold_start=cold_start)
        return loop.run_until_complete(self.answer(event, ours))

    def _started_loop(self) -> asyncio.AbstractEventLoop:
        loop = new_loop()
        try:
            loop.run_until_complete(self.lifespan.startup())
        except BaseException:
            self.lifespan = Lifespan(self.app)
            loop.close()
            raise
        self._loop = loop
        return loop

    async def answer(self, event: Event, context: Context) -> Any:
        """The buffered answer to an event: a front door's JSON, or what ``on_event`` returns.

        Raises:
            UnsupportedEvent: Nobody takes it.
            IncompleteResponse: The app returned before its response was whole.
        """
        front = self.front_door(event, context)
        if front is None:
            return await self.take(event, context)
        return await self.buffer(front, self.scope(front, event), Request(front.body))

    async def buffer(self, front: LambdaHandler, scope: Scope, request: Request) -> Any:
        """The app's whole response, in the front door's JSON.

        Raises:
            IncompleteResponse: The app returned before its response was whole.
        """
        whole = await buffered(self.app, scope, request)
        return front({**whole})

    async def take(self, event: Event, context: Context) -> object:
        """What ``on_event`` makes of an event that is not HTTP.

        Raises:
            UnsupportedEvent: There is no ``on_event``.
        """
        if self.on_event is None:
            raise UnsupportedEvent("this function takes HTTP events only")
        return await self.on_event(event, context)

    def front_door(self, event: object, context: Context) -> LambdaHandler | None:
        """Mangum's reading of an event (scope, body, form of the answer); None if not HTTP."""
        if not isinstance(event, dict) or not _is_request(event):
            return None
        # Mangum wants a context with every attribute settable; ours is frozen, and only read.
        said: Any = context
        for door in _DOORS:
            if door.infer(event, said, _CONFIG):
                return door(authority.without(event), said, _CONFIG)
        return None

    def scope(self, front: LambdaHandler, event: Event) -> Scope:
        """The ASGI scope of an event, with the environment's state in it."""
        scope: Scope = dict(front.scope)
        scope["aws.event"] = event
        scope["headers"] = [*scope["headers"], *authority.headers(event)]
        scope["server"] = authority.server(event, scope["scheme"])
        if "rawPath" in event:
            scope["raw_path"] = event["rawPath"].encode("latin-1", "replace")
        # Not 2.4: to an app that knows 2.4 a lost client is an OSError from send, and it no
        # longer listens. Lambda says nothing by then; our word for the deadline is a message.
        scope["asgi"] = {"version": "3.0", "spec_version": "2.3"}
        scope["state"] = dict(self.lifespan.state)
        return scope

    def streams(self, event: Event) -> bool:
        """Whether the answer to this event is to be streamed."""
        context = event.get("requestContext")
        if self._buffers_all or not isinstance(context, dict):
            return False
        if ".lambda-url." in str(context.get("domainName", "")):
            return self._streams_url
        return self._streams_rest and "resource" in event and "httpMethod" in event


def _is_request(event: Event) -> bool:
    """A WebSocket API's events have a request context too, and no request."""
    context = event.get("requestContext")
    return isinstance(context, dict) and ("httpMethod" in event or "http" in context)
