"""Errors and lists of providers are read up to a bound, by every reader."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, MutableMapping

import httpx2
import pytest

from tests.fakes.upstream import Act, Upstream
from tests.providers.test_non_streaming import ASK, KINDS
from tests.providers.test_openai import FixedKey
from tokenwire.errors import ClientError
from tokenwire.providers.bounds import MAX_ERROR, MAX_LIST, bound
from tokenwire.providers.config import Config
from tokenwire.providers.openai.provider import OpenAIProvider

PART = b"x" * 16384


class Endless(httpx2.AsyncByteStream):
    """A body without an end, which counts how much of it was taken."""

    def __init__(self) -> None:
        self.taken = 0
        self.closed = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Bytes for ever."""
        while True:
            self.taken += len(PART)
            yield PART

    async def aclose(self) -> None:
        """Note it."""
        self.closed = True


async def read(status: int, method: str = "POST", **headers: str) -> tuple[int, Endless]:
    """How much of an endless body is read, and the body."""
    body = Endless()
    request = httpx2.Request(method, "http://x.test/")
    response = httpx2.Response(status, request=request, headers=headers, stream=body)
    await bound(response)
    found = len(await response.aread())
    await response.aclose()
    return found, body


async def test_errors_are_bounded() -> None:
    """So many bytes are read of an error, and the body is closed."""
    found, body = await read(400)
    assert found == body.taken == MAX_ERROR
    assert body.closed


async def test_lists_are_bounded() -> None:
    """A list of models may be longer; but it has an end too."""
    found, _ = await read(200, "GET")
    assert found == MAX_LIST


async def test_packed_errors_are_left_unread() -> None:
    """A few bytes may unpack to any number, and the request accepts no packed ones."""
    found, body = await read(400, **{"content-encoding": "gzip"})
    assert (found, body.taken) == (0, len(PART))


async def test_answers_are_not_touched() -> None:
    """A stream is bounded by those who read it."""
    body = Endless()
    request = httpx2.Request("POST", "http://x.test/")
    response = httpx2.Response(200, request=request, stream=body)
    await bound(response)
    assert response.stream is body


@pytest.mark.parametrize("kind", KINDS)
async def test_endless_errors_end(
    kind: str, provider: Upstream, aws: MutableMapping[str, str]
) -> None:
    """A provider whose error does not end is answered after the bound; it never gets further."""
    parts = [PART] * (MAX_ERROR // len(PART) + 1)
    provider.answer(b'{"error": {"message": "', *parts, Act.STALL, status=400)
    client = KINDS[kind][0](provider.base_url.removesuffix("/v1"))
    with pytest.raises(ClientError) as caught:
        async with client.open(ASK, "m"):
            pass
    await client.aclose()
    assert len(caught.value.message) < 600


async def test_packed_bomb_is_not_unpacked(provider: Upstream) -> None:
    """A compressed error says nothing, through the SDK too."""
    packed = gzip.compress(b'{"error": {"message": "' + b"x" * 10_000_000 + b'"}}')
    provider.answer(packed, status=400, headers={"content-encoding": "gzip"})
    client = OpenAIProvider("o", FixedKey("k"), Config(provider.base_url, max_retries=0))
    with pytest.raises(ClientError, match="refused the request as invalid"):
        async with client.open(ASK, "m"):
            pass
    await client.aclose()
