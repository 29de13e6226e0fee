"""The Extensions API's serving side, for one environment.

https://docs.aws.amazon.com/lambda/latest/dg/runtimes-extensions-api.html
"""

from __future__ import annotations

import asyncio
import json
import uuid
from dataclasses import dataclass, field
from typing import Any

from .http import Incoming, Outgoing
from .invocation import Invocation

PREFIX = "/2020-01-01/extension/"

MAX_BODY = 64 * 1024
MAX_EXTENSIONS = 10
"""Lambda's own bound."""
_EVENTS = frozenset({"INVOKE", "SHUTDOWN"})
_IDENTIFIER = "Lambda-Extension-Identifier"
_JSON = ("content-type", "application/json")
_OK = b'{"status":"OK"}\n'


@dataclass(slots=True)
class Extension:
    """One registered extension.

    Args:
        name: The file name that it registered with.
        events: The types of events that it registered for.
    """

    name: str
    events: frozenset[str]
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    queue: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)


class Extensions:
    """Registers an environment's extensions, and gives them its events.

    Args:
        function_name: The function's, for the responses to registrations.
        handler: Likewise.
        arn: Likewise.
    """

    def __init__(self, function_name: str, handler: str, arn: str) -> None:
        self._about = {
            "functionName": function_name,
            "functionVersion": "$LATEST",
            "handler": handler,
        }
        self._arn = arn
        self._registered: dict[str, Extension] = {}
        self.error: str | None = None

    def __bool__(self) -> bool:
        return bool(self._registered)

    async def ready(self) -> None:
        """Wait until every registered extension has requested its first event."""
        for extension in list(self._registered.values()):
            await extension.ready.wait()

    def invoke(self, invocation: Invocation) -> None:
        """Tell the extensions of an invocation."""
        self._send(
            {
                "eventType": "INVOKE",
                "deadlineMs": invocation.deadline_ms,
                "requestId": invocation.request_id,
                "invokedFunctionArn": self._arn,
                "tracing": {"type": "X-Amzn-Trace-Id", "value": invocation.trace_id},
            }
        )

    def shut_down(self, reason: str, deadline_ms: int) -> None:
        """Tell the extensions that the environment ends: SPINDOWN, TIMEOUT or FAILURE."""
        self._send({"eventType": "SHUTDOWN", "shutdownReason": reason, "deadlineMs": deadline_ms})

    async def serve(self, incoming: Incoming, outgoing: Outgoing) -> None:
        """One request below ``PREFIX``."""
        what = incoming.target.removeprefix(PREFIX)
        body = await incoming.read(MAX_BODY)
        extension = self._registered.get(incoming.get(_IDENTIFIER.lower()))
        if (incoming.method, what) == ("POST", "register"):
            self._register(incoming, body, outgoing)
        elif extension is None:
            _refuse(outgoing, 403, "Extension.UnknownExtensionIdentifier", "unknown extension")
        elif (incoming.method, what) == ("GET", "event/next"):
            await self._next(extension, outgoing)
        elif (incoming.method, what) in (("POST", "init/error"), ("POST", "exit/error")):
            kind = incoming.get("lambda-extension-function-error-type", "Extension.Unknown")
            self.error = f"{kind}: the extension {extension.name} failed"
            outgoing.respond(202, [_JSON], _OK)
        else:
            _refuse(outgoing, 404, "Extension.NotFound", "no such path")

    def _register(self, incoming: Incoming, body: bytes | None, outgoing: Outgoing) -> None:
        name, events = incoming.get("lambda-extension-name"), _events(body)
        if not name:
            _refuse(outgoing, 400, "Extension.MissingHeader", "Lambda-Extension-Name is missing")
        elif events is None:
            _refuse(outgoing, 400, "InvalidRequestFormat", "events: a list of INVOKE and SHUTDOWN")
        elif len(self._registered) >= MAX_EXTENSIONS:
            _refuse(outgoing, 400, "Extension.TooManyExtensions", f"at most {MAX_EXTENSIONS}")
        else:
            identifier = str(uuid.uuid4())
            self._registered[identifier] = Extension(name, events)
            about = self._about | _account(incoming)
            outgoing.respond(200, [_JSON, (_IDENTIFIER, identifier)], json.dumps(about).encode())

    async def _next(self, extension: Extension, outgoing: Outgoing) -> None:
        extension.ready.set()
        event = await extension.queue.get()
        headers = [_JSON, ("Lambda-Extension-Event-Identifier", str(uuid.uuid4()))]
        outgoing.respond(200, headers, json.dumps(event).encode())

    def _send(self, event: dict[str, Any]) -> None:
        for extension in self._registered.values():
            if event["eventType"] in extension.events:
                extension.queue.put_nowait(event)


def _events(body: bytes | None) -> frozenset[str] | None:
    """The event types that a registration asks for; None if it is malformed."""
    try:
        requested = json.loads(body or b"{}").get("events") or []
        events = frozenset(requested)
    except (ValueError, AttributeError, TypeError):
        return None
    return events if events <= _EVENTS else None


def _account(incoming: Incoming) -> dict[str, str]:
    features = incoming.get("lambda-extension-accept-feature")
    return {"accountId": "123456789012"} if "accountId" in features else {}


def _refuse(outgoing: Outgoing, status: int, kind: str, message: str) -> None:
    body = json.dumps({"errorType": kind, "errorMessage": message}).encode()
    outgoing.respond(status, [_JSON], body)
