"""The handler: one object that the stock runtime can call and that our loop can stream from."""

from __future__ import annotations

import asyncio
import atexit
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from mangum.handlers import ALB, APIGateway, HTTPGateway
from mangum.types import LambdaHandler

from . import authority
from .context import Context
from .cycle import Request, buffered
from .lifespan import Lifespan
from .loop import end_loop, new_loop
from .options import Options
from .types import ASGIApp, Event, Scope

_FRONT_DOORS: tuple[type[LambdaHandler], ...] = (ALB, HTTPGateway, APIGateway)

OnEvent = Callable[[Event, Context], Awaitable[object]]

_SHUTDOWN = 1.8
"""Seconds for the app's lifespan to end: Lambda allows two from SIGTERM to the exit."""


class UnsupportedEvent(Exception):
    """An event that is not an HTTP request, for a handler without ``on_event``."""


class Handler:
    """An ASGI app as a Lambda function.

    Under the layer's wrapper the runtime loop streams its responses. Called as an ordinary
    handler, by the stock runtime, it returns buffered responses. The app's lifespan runs once per
    environment either way.

    Args:
        app: Any ASGI 3 app.
        stream_rest: Whether responses to REST API events are streamed; for APIs whose integration
            has ``responseTransferMode: STREAM``, which is not part of an event. None reads
            ``LAMBDA_ASGI_STREAM_REST``.
        on_event: Takes events that are not HTTP requests, such as a worker's; its return value
            is the invocation's JSON response.
        api_gateway_base_path: The path under which the app is mounted, such as a custom domain's
            base path mapping or an HTTP API's stage. It becomes the scope's ``root_path`` for the
            requests below it.
        text_mime_types: Content types that a buffered response sends as text, not as base64. Each
            matches the types that contain it. None takes Mangum's (text, JSON, XML…).
        exclude_headers: Names of response headers that are not sent, in any case.
        environ: The process's environment.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        stream_rest: bool | None = None,
        on_event: OnEvent | None = None,
        api_gateway_base_path: str = "/",
        text_mime_types: Iterable[str] | None = None,
        exclude_headers: Iterable[str] = (),
        environ: Mapping[str, str] = os.environ,
    ) -> None:
        self.app = app
        self.on_event = on_event
        self.lifespan = Lifespan(app)
        self.options = Options.of(api_gateway_base_path, text_mime_types, exclude_headers)
        self._environ = environ
        self._streams_url = environ.get("LAMBDA_ASGI_STREAM_URL", "1") == "1"
        configured = environ.get("LAMBDA_ASGI_STREAM_REST") == "1"
        self._streams_rest = configured if stream_rest is None else stream_rest
        # SAM's emulator and its front door accept buffered JSON responses only.
        self._buffers_all = environ.get("AWS_SAM_LOCAL") == "true"
        self._loop: asyncio.AbstractEventLoop | None = None

    def __call__(self, event: Event, context: Any) -> Any:
        """Handle one event, buffered; for the stock runtime. All calls share one event loop.

        Raises:
            LifespanError: The app cannot start; the next call tries again.
            UnsupportedEvent: The event is not an HTTP request, and there is no ``on_event``.
        """
        cold_start = self._loop is None
        loop = self._loop or self._started_loop()
        adopted = Context.adopt(context, self._environ, cold_start=cold_start)
        return loop.run_until_complete(self.answer(event, adopted))

    def close(self) -> None:
        """End the app's lifespan and the event loop that calls have started.

        Runs at the interpreter's exit by itself. A later call starts both anew.
        """
        loop, self._loop = self._loop, None
        if loop is None:
            return
        atexit.unregister(self.close)
        lifespan, self.lifespan = self.lifespan, Lifespan(self.app)
        try:
            loop.run_until_complete(lifespan.shutdown(_SHUTDOWN))
        finally:
            end_loop(loop)

    def _started_loop(self) -> asyncio.AbstractEventLoop:
        loop = new_loop()
        try:
            loop.run_until_complete(self.lifespan.startup())
        except BaseException:
            self.lifespan = Lifespan(self.app)
            end_loop(loop)
            raise
        self._loop = loop
        atexit.register(self.close)
        return loop

    async def answer(self, event: Event, context: Context) -> Any:
        """The buffered response to an event: a front door's JSON, or what ``on_event`` returns.

        Raises:
            UnsupportedEvent: The event is not an HTTP request, and there is no ``on_event``.
            IncompleteResponse: The app returned before its response was complete.
        """
        front = self.front_door(event, context)
        if front is None:
            return await self.take(event, context)
        return await self.buffer(front, self.scope(front, event), Request(front.body))

    async def buffer(self, front: LambdaHandler, scope: Scope, request: Request) -> Any:
        """The app's complete response, in the front door's JSON.

        Raises:
            IncompleteResponse: The app returned before its response was complete.
        """
        response = await buffered(self.app, scope, request)
        return self.options.without_excluded(front({**response}))

    async def take(self, event: Event, context: Context) -> object:
        """The result of ``on_event`` for an event that is not an HTTP request.

        Raises:
            UnsupportedEvent: There is no ``on_event``.
        """
        if self.on_event is None:
            raise UnsupportedEvent("this function takes HTTP events only")
        return await self.on_event(event, context)

    def front_door(self, event: object, context: Context) -> LambdaHandler | None:
        """Mangum's reader for an event (scope, body, form of the payload); None if not HTTP."""
        if not isinstance(event, dict) or not _is_request(event):
            return None
        # Mangum's types want a context with settable attributes; ours is frozen, and only read.
        untyped: Any = context
        config = self.options.config
        for door in _FRONT_DOORS:
            if door.infer(event, untyped, config):
                return door(authority.without(event), untyped, config)
        return None

    def scope(self, front: LambdaHandler, event: Event) -> Scope:
        """The ASGI scope of an event, with the environment's state in it."""
        scope: Scope = dict(front.scope)
        scope["aws.event"] = event
        scope["headers"] = [*scope["headers"], *authority.headers(event)]
        scope["server"] = authority.server(event, scope["scheme"])
        if "rawPath" in event:
            scope["raw_path"] = event["rawPath"].encode("latin-1", "replace")
        self.options.mount(scope)
        # Not 2.4: for 2.4 an app expects an OSError from send when the client disconnects, and does
        # not call receive. Lambda reports no disconnect; a deadline is signalled by a message.
        scope["asgi"] = {"version": "3.0", "spec_version": "2.3"}
        scope["state"] = dict(self.lifespan.state)
        return scope

    def streams(self, event: Event) -> bool:
        """Whether the response to this event is streamed."""
        context = event.get("requestContext")
        if self._buffers_all or not isinstance(context, dict):
            return False
        if ".lambda-url." in str(context.get("domainName", "")):
            return self._streams_url
        return self._streams_rest and "resource" in event and "httpMethod" in event


def _is_request(event: Event) -> bool:
    """Return whether the event is an HTTP request; a WebSocket API's event is not."""
    context = event.get("requestContext")
    return isinstance(context, dict) and ("httpMethod" in event or "http" in context)
