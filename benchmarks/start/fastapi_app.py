"""FastAPI with one route."""

from fastapi import FastAPI
from fastapi.responses import PlainTextResponse

from lambda_asgi import Handler

app = FastAPI()


@app.post("/{path:path}")
async def one(path: str) -> PlainTextResponse:
    return PlainTextResponse("data: 1\n\n")


handler = Handler(app)
