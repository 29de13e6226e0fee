"""Start a stream for a request, or find the stream that an earlier, equal request has started."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ..dialects.protocol import Dialect, ParsedRequest
from ..settings import Settings
from ..streams.policy import CANCEL, OnDisconnect
from ..streams.stream import Stream
from .context import RequestContext
from .defaults import required_model
from .forwarding import forwarded
from .handover import hand_over, needs_worker
from .idempotency import Idempotency, IdempotencyKey
from .prepare import holding, prepare
from .recording import RequestSummary
from .references import resolved
from .services import Services
from .tracing import traced

GRACE = OnDisconnect(30.0)
"""For clients that can resume: long enough to reload a page, short enough to cost little."""


@dataclass(frozen=True, slots=True)
class StartRequest:
    """A request to start a stream, not yet validated.

    Args:
        dialect: The dialect of the body.
        body: The request body, decoded from JSON.
        path: The path of the request. An idempotency key is valid for one path.
        key: The client's name for this request (``Idempotency-Key``); None without one.
        on_disconnect: The policy for a stream without viewers, as a header's text; None for the
            server's default.
        headers: Headers that may be forwarded to the provider; their names in lower case.
        detached: Whether the response ends before the stream does.
    """

    dialect: Dialect
    body: object
    path: str
    key: IdempotencyKey | None = None
    on_disconnect: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    detached: bool = False


@dataclass(frozen=True, slots=True)
class Started:
    """A stream and the validated request that it answers."""

    stream: Stream
    request: ParsedRequest


async def start(
    services: Services, context: RequestContext, summary: RequestSummary, request: StartRequest
) -> Started:
    """Validate a request and start its stream.

    Args:
        services: The app's services.
        context: The request's context.
        summary: Collects the fields of the request's log line.
        request: The request.

    Returns:
        The stream (new, or an earlier one for the same idempotency key) and the validated request.

    Raises:
        ClientError: The body, a header or ``on_disconnect`` is invalid; the model is unknown (404);
            the provider cannot express the request; a referenced item is not in memory (404), or
            all of them together are too large (413); the idempotency key was used for another
            request (422); or Lambda without a shared store cannot run it (501).
        ProxyError: A process or caller limit is reached, the server is shutting down, or Lambda
            rejected the worker.
        StoreError: The store failed for the key, a reference or the handover.
    """
    dialect = request.dialect
    headers = forwarded(request.headers, dialect.forwarded)
    parsed = replace(dialect.parse(request.body), headers=headers)
    policy = _policy(services.settings, request, parsed)
    key = Idempotency.of(request.key, request.path, parsed) if request.key else None
    starting = _Start(services, context, summary, parsed, policy, detached=request.detached)
    stream = await starting.run(key)
    if dialect.keeps_request:
        services.requests.keep(stream.meta.id, parsed.body)
    return Started(stream, parsed)


def _policy(settings: Settings, request: StartRequest, parsed: ParsedRequest) -> OnDisconnect:
    """Return the policy of the body, else the header's, the settings' or the dialect's.

    Raises:
        ClientError: It is malformed.
    """
    if parsed.on_disconnect is not None:
        return OnDisconnect.parse(parsed.on_disconnect)
    if text := request.on_disconnect or settings.on_disconnect:
        return OnDisconnect.parse(text)
    # A client that sends an idempotency key is prepared to repeat the request.
    resumes = (parsed.stream and request.dialect.resumes) or request.key is not None
    return GRACE if resumes else CANCEL


@dataclass(frozen=True, slots=True)
class _Start:
    """Starts the stream of one validated request."""

    services: Services
    context: RequestContext
    summary: RequestSummary
    request: ParsedRequest
    policy: OnDisconnect
    detached: bool

    async def run(self, key: Idempotency | None) -> Stream:
        hub, owner = self.services.hub, self.context.caller.id
        if key and (found := await key.find(hub, owner)):
            return self._joined(found)
        elsewhere = needs_worker(self.services, self.context, self.policy, detached=self.detached)
        request = await resolved(self.services, owner, self.request)
        if not request.model:
            request = replace(request, model=await required_model(self.services))
        prepared = prepare(self.services, owner, request)
        hub.admit(owner)
        if key and (found := await key.claim(hub, owner, prepared.meta.id)):
            return self._joined(found)
        if elsewhere:
            return self._joined(
                await hand_over(self.services, self.context, prepared.meta, request, self.policy)
            )
        self.summary.stream_started(prepared.meta)
        source = holding(prepared.source, self.context.memory)
        source = traced(source, self.context.trace, prepared.meta)
        left = self.context.seconds_left
        return await hub.start(prepared.meta, source, self.policy, left, prepared.attempts)

    def _joined(self, stream: Stream) -> Stream:
        self.summary.stream_joined(stream)
        return stream
