"""A provider's key does not come back to a caller, in whatever shape a 200 has it."""

from __future__ import annotations

from collections.abc import AsyncIterator, MutableMapping
from typing import Any

import httpx2
import pytest

from tests.conftest import Serve
from tests.fakes.upstream import ROLE, STOP, Upstream, text
from tests.matrix.cases import recording
from tests.providers.test_non_streaming import ASK
from tests.providers.test_openai import FixedKey
from tokenwire.errors import UpstreamError
from tokenwire.hotpath import ServePiece, ServePieces
from tokenwire.providers.anthropic import provider as anthropic
from tokenwire.providers.config import Config
from tokenwire.providers.gemini import provider as gemini
from tokenwire.providers.guard import LEAST, Guarded
from tokenwire.providers.native import Native
from tokenwire.providers.openai.provider import OpenAIProvider
from tokenwire.providers.protocol import Provider

KEY = "sk-ant-0123456789abcdefghij"


async def body(*parts: bytes) -> AsyncIterator[bytes]:
    """A body in these parts."""
    for part in parts:
        yield part


async def passed(*parts: bytes, secrets: tuple[str, ...] = (KEY,)) -> bytes:
    """What of a body is passed on."""
    found = b""
    try:
        async for part in Guarded(body(*parts), secrets):
            found += part
    except UpstreamError as error:
        return found + f"<{error.code}>".encode()
    return found


@pytest.mark.parametrize("at", range(1, len(KEY) + 6, 3))
async def test_secret_is_seen_wherever_it_is_cut(at: int) -> None:
    """The piece that completes it is not passed on."""
    data = f"data: {KEY}\n\n".encode()
    assert await passed(data[:at], data[at:]) in (
        data[:at] + b"<upstream_malformed>",
        b"<upstream_malformed>",
    )
    assert await passed(*(data[n : n + 1] for n in range(len(data)))) == (
        data[: data.index(KEY.encode()) + len(KEY) - 1] + b"<upstream_malformed>"
    )


class Pushed:
    """A body that is followed: its parts are pushed."""

    def __init__(self, *parts: bytes) -> None:
        self._parts = parts

    def __aiter__(self) -> AsyncIterator[bytes]:
        """This."""
        return self

    async def __anext__(self) -> bytes:
        """Nothing is read."""
        raise StopAsyncIteration

    async def follow(self, serve: ServePiece, serve_many: ServePieces | None = None) -> None:
        """Push every part; then all of them together."""
        assert all(map(serve, self._parts))
        assert serve_many is not None
        assert serve_many([*self._parts])


@pytest.mark.parametrize("at", range(1, len(KEY) + 6, 3))
async def test_secret_is_seen_in_what_is_pushed(at: int) -> None:
    """Where parts end with a line, and where they do not; what comes before is passed on."""
    said, found = f"data: {KEY}\n\n".encode(), [b""]

    def take(data: bytes) -> bool:
        found.append(data)
        return True

    for parts in ((b"data: a\n\n", said), (b"data: a\n\n", said[:at], said[at:])):
        found.clear()
        with pytest.raises(UpstreamError):
            await Guarded(Pushed(*parts), (KEY,)).follow(take)
        assert found[0] == b"data: a\n\n"
        assert KEY.encode() not in b"".join(found)


@pytest.mark.parametrize("at", range(1, len(KEY) + 6, 3))
async def test_secret_is_seen_in_pieces_that_are_pushed_together(at: int) -> None:
    """Wherever the pieces are cut; none of them is passed on, and before it all of them are."""
    said, found = f"data: {KEY}\n\n".encode(), [b""]

    def take(data: bytes) -> bool:
        found.append(data)
        return True

    class Together(Pushed):
        async def follow(self, serve: ServePiece, serve_many: ServePieces | None = None) -> None:
            assert serve_many is not None
            assert serve_many([b"data: a\n\n", b"data: b\n\n"])
            assert serve_many([said[:at], said[at:]])

    with pytest.raises(UpstreamError):
        await Guarded(Together(), (KEY,)).follow(take, lambda pieces: take(b"".join(pieces)))
    assert found[1:] == [b"data: a\n\ndata: b\n\n"]


async def test_what_is_no_secret_passes() -> None:
    """Text like it, a short word that stands in for a key, and no secret at all."""
    pieces = (b"data: sk-ant-01234", b"56789abcdefghi\n\n", b"", b"ollama")
    assert await passed(*pieces, secrets=(KEY, "ollama", "")) == b"".join(pieces)
    assert await passed(*pieces, secrets=()) == b"".join(pieces)
    assert len("x" * (LEAST - 1)) < LEAST
    assert await passed(b"x" * LEAST, secrets=("x" * (LEAST - 1),)) == b"x" * LEAST
    assert await passed(b"x" * LEAST, secrets=("x" * LEAST,)) == b"<upstream_malformed>"


def native(api: Any, url: str) -> Provider:
    """A provider over plain HTTP, with a second secret in a header."""
    config = Config(url, max_retries=0, secret_headers={"x-team": FixedKey("t" * LEAST)})
    return Native("n", FixedKey(KEY), config, api)


def provider_of(kind: str, url: str) -> Provider:
    """One of each kind that has a key."""
    if kind == "openai":
        config = Config(f"{url}/v1", max_retries=0, secret_query={"account": FixedKey("t" * LEAST)})
        return OpenAIProvider("o", FixedKey(KEY), config)
    return native({"anthropic": anthropic.API, "gemini": gemini.API}[kind], url)


@pytest.mark.parametrize("secret", [KEY, "t" * LEAST])
@pytest.mark.parametrize(
    ("kind", "dialect"), [("openai", "chat"), ("anthropic", "messages"), ("gemini", "gemini")]
)
async def test_every_kind_is_guarded(
    kind: str, dialect: str, secret: str, provider: Upstream, aws: MutableMapping[str, str]
) -> None:
    """Keys, and the values of secret headers and queries, inside the text of an answer even."""
    stream = recording("text", dialect).replace("Grüße".encode(), secret.encode())
    assert secret.encode() in stream
    provider.answer(stream)
    client = provider_of(kind, provider.base_url.removesuffix("/v1"))
    found: list[bytes] = []
    with pytest.raises(UpstreamError):
        await read(client, found)
    await client.aclose()
    assert secret.encode() not in b"".join(found)


async def read(client: Provider, found: list[bytes]) -> None:
    """Read an answer to its end, or for as long as it goes."""
    async with client.open(ASK, "m") as opened:
        async for part in opened:
            found.append(part)


SHAPES = {
    "a JSON object": b'{"detail": "Authorization: Bearer sk-secret-0123456789abcdef"}',
    "an unknown event": b'data: {"detail": "Bearer sk-secret-0123456789abcdef"}\n\n',
    "an event named error": b'event: error\ndata: {"detail": "sk-secret-0123456789abcdef"}\n\n',
    "a text": b"event: error\ndata: sk-secret-0123456789abcdef\n\n",
    "a later event": b'event: note\ndata: {"type":"note","a":"sk-secret-0123456789abcdef"}\n\n',
}
PATHS = {
    "chat": ("/v1/chat/completions", "openai/m"),
    "messages": ("/v1/messages", "anthropic/m"),
}


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("dialect", PATHS)
@pytest.mark.parametrize("has_begun", [False, True])
async def test_key_in_a_200_stays_here(
    dialect: str, shape: str, has_begun: bool, provider: Upstream, serve: Serve
) -> None:
    """Verbatim streams too: the caller gets an error of ours, and nothing of the key."""
    path, model = PATHS[dialect]
    head = recording("text", "messages").partition(b"event: content_block_stop")[0]
    begun = ROLE + text("a") if dialect == "chat" else head
    provider.answer(*([begun] if has_begun else []), SHAPES[shape], STOP)
    key = "sk-secret-0123456789abcdef"
    places = {"OPENAI_BASE_URL": provider.base_url, "ANTHROPIC_BASE_URL": provider.base_url}
    client = await serve(None, OPENAI_API_KEY=key, ANTHROPIC_API_KEY=key, **places)
    response: httpx2.Response = await client.post(
        path,
        json={
            "model": model,
            "max_tokens": 9,
            "stream": True,
            "messages": [{"role": "user", "content": "Hi"}],
        },
    )
    assert b"sk-secret" not in response.content
    assert b'"error"' in response.content
