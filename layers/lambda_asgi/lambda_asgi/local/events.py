"""A request as the event of a function URL (payload format 2.0).

https://docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html
"""

from __future__ import annotations

import base64
import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from .http import Incoming

_TEXTUAL = ("text/", "application/json", "application/javascript", "application/xml")
_HOP_BY_HOP = frozenset({"connection", "expect", "keep-alive", "te", "transfer-encoding"})


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a function URL adds to every event.

    Args:
        url_id: The first label of its domain name.
        region: Its region.
        client: The caller's address.
        port: The port that the caller connected to.
    """

    url_id: str
    region: str
    client: str
    port: int

    @property
    def domain(self) -> str:
        """Its domain name."""
        return f"{self.url_id}.lambda-url.{self.region}.on.aws"


def function_url_event(
    request: Incoming, body: bytes, endpoint: Endpoint, request_id: str, trace_id: str
) -> bytes:
    """The event, as JSON. Fields that have no value are left out, as Lambda does.

    Args:
        request: The request.
        body: Its body.
        endpoint: Where it arrived.
        request_id: The invocation's id, which the event repeats.
        trace_id: The X-Ray header's first part.
    """
    path, _, query = request.target.partition("?")
    headers = _headers(request, len(body)) | {
        "x-amzn-trace-id": trace_id,
        "x-forwarded-for": endpoint.client,
        # A real function URL has https here; http, so that redirects lead back to this server.
        "x-forwarded-proto": "http",
        "x-forwarded-port": str(endpoint.port),
    }
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": _context(request, endpoint, request_id),
        "isBase64Encoded": False,
    }
    if cookies := [c.strip() for c in headers.get("cookie", "").split(";") if c.strip()]:
        event["cookies"] = cookies
    if query:
        event["queryStringParameters"] = _query(query)
    if body:
        event |= _body(body, headers.get("content-type", ""))
    return json.dumps(event).encode()


def _headers(request: Incoming, size: int) -> dict[str, str]:
    """Lower-case names; several values joined with commas, but cookies with semicolons."""
    found: dict[str, str] = {}
    for name, value in request.headers:
        if name not in _HOP_BY_HOP:
            separator = "; " if name == "cookie" else ","
            found[name] = f"{found[name]}{separator}{value}" if name in found else value
    if request.get("transfer-encoding"):
        found["content-length"] = str(size)
    return found


def _context(request: Incoming, endpoint: Endpoint, request_id: str) -> dict[str, Any]:
    now = time.time()
    return {
        "accountId": "anonymous",
        "apiId": endpoint.url_id,
        "domainName": endpoint.domain,
        "domainPrefix": endpoint.url_id,
        "http": {
            "method": request.method,
            "path": request.target.partition("?")[0],
            "protocol": request.protocol,
            "sourceIp": endpoint.client,
            "userAgent": request.get("user-agent"),
        },
        "requestId": request_id,
        "routeKey": "$default",
        "stage": "$default",
        "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
        "timeEpoch": int(now * 1000),
    }


def _query(query: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


def _body(body: bytes, content_type: str) -> dict[str, Any]:
    """Text as it is, everything else in base64; a function URL takes form data for binary too."""
    if content_type.lower().startswith(_TEXTUAL):
        try:
            return {"body": body.decode(), "isBase64Encoded": False}
        except UnicodeDecodeError:
            pass
    return {"body": base64.b64encode(body).decode(), "isBase64Encoded": True}
