"""Read the HTTP request that starts a stream."""

from __future__ import annotations

from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.requests import Request

from ..dialects.protocol import Dialect
from ..errors import ClientError
from ..gateway.context import RequestContext
from ..gateway.idempotency import KEY_HEADER, IdempotencyKey
from ..gateway.presence import VIEWER_HEADER
from ..gateway.services import Services
from ..gateway.start import StartRequest
from .body import read_json
from .paths import route_path

POLICY_HEADER = "x-tokenwire-on-disconnect"


async def read_start(
    request: Request,
    services: Services,
    context: RequestContext,
    dialect: Dialect,
    *,
    detached: bool = False,
) -> StartRequest:
    """Read a POST with a body in this dialect.

    Args:
        request: The HTTP request; its body must not have been read.
        services: The app's services.
        context: The request's context.
        dialect: The dialect of the body.
        detached: Whether the response ends before the stream does.

    Raises:
        ClientError: As ``read_json``; or ``Idempotency-Key`` is malformed.
        ProxyError: As ``read_json``.
    """
    body = await read_json(request, services.settings, context.memory)
    return StartRequest(
        dialect,
        body,
        route_path(request.scope),
        IdempotencyKey.of_header(request.headers.get(KEY_HEADER)),
        request.headers.get(POLICY_HEADER),
        _joined(request.headers, dialect.forwarded),
        detached,
    )


def prompt_request(
    request: Request, dialect: Dialect, prompt: str, model: str, message_id: str | None
) -> StartRequest:
    """Return the request of a GET with a prompt in its query.

    Raises:
        ClientError: The prompt is empty (``missing_required_parameter``), or the message's id is
            malformed (``invalid_value``).
    """
    if not prompt:
        raise ClientError("There is no prompt.", code="missing_required_parameter", param="prompt")
    body = {"message": prompt, "model": model}
    policy = request.headers.get(POLICY_HEADER)
    key = IdempotencyKey.of_message_id(message_id)
    return StartRequest(dialect, body, route_path(request.scope), key, policy)


def viewer_of(request: Request) -> str | None:
    """Return the client's name for itself as a viewer; None without one."""
    return request.headers.get(VIEWER_HEADER)


def cursor_of(request: Request) -> str | None:
    """Return ``Last-Event-ID``, ``?last_event_id=`` or ``?starting_after=``; None without any."""
    query = request.query_params
    return (
        request.headers.get("last-event-id")
        or query.get("last_event_id")
        or query.get("starting_after")
    )


def _joined(headers: Headers, names: Iterable[str]) -> dict[str, str]:
    return {name: ",".join(headers.getlist(name)) for name in names if name in headers}
