"""Starlette with one route."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from lambda_asgi import Handler


async def one(request: Request) -> PlainTextResponse:
    return PlainTextResponse("data: 1\n\n")


handler = Handler(Starlette(routes=[Route("/{path:path}", one, methods=["POST"])]))
