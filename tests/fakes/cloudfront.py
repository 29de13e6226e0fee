"""CloudFront with origin access control, in front of a server: what it changes and refuses."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import httpx2
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.fakes.server import listening_at

_CONNECTION = {"host", "content-length", "transfer-encoding", "connection"}
_ADDED = {"authorization": "AWS4-HMAC-SHA256 Credential=x", "x-amz-cf-id": "of-this-request"}


@asynccontextmanager
async def cloudfront(origin: str) -> AsyncIterator[str]:
    """Sign and forward each request to this origin; yield the distribution's base URL."""
    async with httpx2.AsyncClient(base_url=origin, timeout=30, trust_env=False) as client:

        async def forward(request: Request) -> Response:
            body = await request.body()
            given = request.headers.get("x-amz-content-sha256")
            if request.method == "POST" and given != hashlib.sha256(body).hexdigest():
                # Lambda's answer to a signature that does not cover the body.
                return JSONResponse({"message": "The request signature does not match"}, 403)
            return await _forwarded(client, request, body)

        app = Starlette(routes=[Route("/{path:path}", forward, methods=["GET", "HEAD", "POST"])])
        config = uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1)
        async with listening_at(config) as base_url:
            yield base_url


async def _forwarded(client: httpx2.AsyncClient, request: Request, body: bytes) -> Response:
    url = httpx2.URL(path=request.url.path, query=request.url.query.encode())
    headers = {**_without(request.headers.items()), **_ADDED}
    sent = client.build_request(request.method, url, headers=headers, content=body)
    answer = await client.send(sent, stream=True)
    kept = _without(answer.headers.items())
    return StreamingResponse(answer.aiter_raw(), answer.status_code, kept)


def _without(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name: value for name, value in headers if name not in _CONNECTION}
