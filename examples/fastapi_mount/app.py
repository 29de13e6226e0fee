"""A FastAPI app that has tokenwire under ``/llm``, beside its own routes and its own page."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from tokenwire.app import from_environment

llm = from_environment()


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """Start and stop tokenwire with this app: an app that is mounted gets no lifespan events."""
    async with llm.router.lifespan_context(llm):
        yield


app = FastAPI(lifespan=lifespan)


@app.get("/hello")
async def hello() -> dict[str, str]:
    """A route of this app, which tokenwire leaves alone."""
    return {"hello": "world"}


app.mount("/llm", llm)
app.mount("/", StaticFiles(directory=Path(__file__).parent / "page", html=True))
