"""A request in one dialect, answered in it: streamed, or whole. What chat and messages share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from ..auth.callers import Caller
from ..dialects.protocol import JSON, ChatRequest, Dialect, Encoder
from ..gateway.idempotency import KEY_HEADER, Idempotency
from ..gateway.join import join
from ..gateway.observation import Observation
from ..gateway.offload import apart
from ..gateway.output import Output
from ..gateway.services import Services
from ..gateway.start import begin
from ..gateway.translation import translated
from ..streams.policy import CANCEL, OnDisconnect
from ..streams.stream import Stream
from .body import read_json
from .collect import collect
from .errors import refusal
from .forwarding import forwarded
from .manners import manners, policy
from .response import StreamResponse


async def answer(
    request: Request,
    services: Services,
    caller: Caller,
    seen: Observation,
    dialect: Dialect,
    output: Callable[[ChatRequest], Output] | None = None,
    default: OnDisconnect = CANCEL,
    begun: Callable[[str, ChatRequest], None] | None = None,
) -> Response:
    """Begin a stream for the request, and say it.

    Args:
        request: With a body in this dialect.
        services: The app's parts.
        caller: Whose stream it will be.
        seen: The request's record.
        dialect: In which it is asked and answered.
        output: What the request gets; by default all, as the dialect's encoder writes it.
        default: What becomes of a streamed answer when its client leaves.
        begun: Told the stream's id and the request, once there is a stream.

    Raises:
        TokenwireError: The request cannot be served, or, whole, its stream failed.
    """
    seen.log.dialect = dialect.name
    asked = dialect.parse(await read_json(request, services.settings.max_body_bytes))
    asked = replace(asked, headers=forwarded(request.headers, dialect.forwarded))
    on_disconnect = policy(request, services, default if asked.stream else CANCEL)
    wanted = output(asked) if output else Output(dialect.encoder)
    key = Idempotency.of(request.headers.get(KEY_HEADER), request.scope["path"], asked)
    stream = await begin(services, caller, asked, on_disconnect, seen, key)
    if begun is not None:
        begun(stream.meta.id, asked)
    if not asked.stream:
        blocks = await collect(request, services, stream, seen)
        headers = {"x-stream-id": stream.meta.id}
        size = sum(map(len, blocks))
        encoder = wanted.encoder()
        return await apart(
            size, lambda: JSONResponse(whole(stream, dialect, blocks, encoder), 200, headers)
        )
    reading = join(stream, dialect, surplus=wanted.surplus, encoder=wanted.encoder())
    manner = manners(services, refuse=refusal(dialect), headers=dialect.headers)
    return StreamResponse(services.hub, stream, reading, manner, seen)


def whole(stream: Stream, dialect: Dialect, blocks: Iterable[bytes], encoder: Encoder) -> JSON:
    """The blocks of a whole stream as one answer, by way of the encoder where they need one.

    Raises:
        UpstreamError: A block cannot be read (``upstream_malformed``).
    """
    if dialect.name == stream.meta.dialect:
        return dialect.fold(blocks)
    return dialect.fold([*translated(stream, blocks, encoder), *encoder.end()])
