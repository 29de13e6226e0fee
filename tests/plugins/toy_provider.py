"""A provider kind in one file, outside the package: it answers by repeating the question."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from tokenwire.dialects.protocol import ParsedRequest
from tokenwire.errors import UpstreamError
from tokenwire.providers.kind import Dependencies, ProviderKind
from tokenwire.providers.protocol import Key, Provider
from tokenwire.providers.settings import ProviderSettings, Reference


class ToySettings(ProviderSettings, frozen=True, kw_only=True):
    """Settings of ``[providers.NAME]`` with ``kind = "toy"``."""

    key: Reference
    suffix: str = "."

    def secrets(self) -> Mapping[str, str]:
        """Return the key: values named here are checked, and fetched ahead of the first use."""
        return {"key": self.key}


class Toy:
    """Speaks the chat dialect: one chunk a word."""

    dialect = "chat"

    def __init__(self, name: str, key: Key, suffix: str) -> None:
        self.name = name
        self._key = key
        self._suffix = suffix

    async def prepare(self) -> None:
        """Nothing to prepare."""

    @asynccontextmanager
    async def open(self, request: ParsedRequest, model: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """Repeat the last message, if the key is the right one."""
        if await self._key() != "open sesame":
            raise UpstreamError("The toy refused this server's key.", code="upstream_auth")
        yield self._chunks(model, str(request.body["messages"][-1]["content"]))

    async def _chunks(self, model: str, text: str) -> AsyncIterator[bytes]:
        for word in (*text.split(" "), self._suffix):
            yield _chunk(model, {"content": word}, None)
        yield _chunk(model, {}, "stop")
        yield b"data: [DONE]\n\n"

    async def models(self) -> list[str]:
        """The one model."""
        return ["parrot"]

    async def aclose(self) -> None:
        """Nothing to close."""


def _chunk(model: str, delta: dict[str, str], finish_reason: str | None) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
    head = {"id": "toy-1", "object": "chat.completion.chunk", "created": 1, "model": model}
    return b"data: " + json.dumps({**head, "choices": [choice]}).encode() + b"\n\n"


def _create(name: str, settings: ToySettings, dependencies: Dependencies) -> Provider:
    return Toy(name, dependencies.key(settings.key), settings.suffix)


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any] | None:
    return {"key": "env:TOY_KEY"} if environ.get("TOY_KEY") else None


KIND = ProviderKind(
    name="toy",
    settings=ToySettings,
    create=_create,
    from_environment=_from_environment,
    off="TOY_KEY is not set",
)
