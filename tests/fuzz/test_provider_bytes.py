"""A provider's bytes, split, mutated and re-ordered: each stream has one correct end.

Each example passes through the provider's reader, the pump, and a viewer of every dialect.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.eventstream import message
from tests.fakes.framing import framed
from tests.fakes.views import view
from tests.fakes.work import allocated
from tests.fuzz.targets import KINDS
from tests.fuzz.test_targets import SEEDS
from tokenwire.dialects import DIALECTS
from tokenwire.providers import complete_responses
from tokenwire.providers.anthropic import provider as anthropic
from tokenwire.providers.bedrock import provider as bedrock
from tokenwire.providers.exchange import Post
from tokenwire.providers.gemini import provider as gemini
from tokenwire.providers.http import Body as ResponseBody
from tokenwire.providers.non_streaming import StreamedBody
from tokenwire.sse import Parser, ServerSentEvent
from tokenwire.stores.records import EndReason, Meta
from tokenwire.streams.blocks import Bounds
from tokenwire.streams.deadline import Timeouts
from tokenwire.streams.facts import Facts
from tokenwire.streams.pump import Pump, Source
from tokenwire.streams.rendering import Rendering, Translated, Verbatim
from tokenwire.streams.tail import Tail
from tokenwire.streams.viewer import Delivery

pytestmark = pytest.mark.slow

Read = Callable[[httpx2.Response], AsyncIterator[bytes]]
POST = Post("/", {})
META = Meta("st_x", "me", "p", "chat", "m", 1)
# A provider, its dialect, and the reader of its bodies.
PROVIDERS: dict[str, tuple[str, Read]] = {
    "openai": (
        "chat",
        lambda response: StreamedBody(ResponseBody(response), complete_responses.chat),
    ),
    "anthropic": ("messages", lambda response: anthropic.API.read(response, "m", POST)),
    "gemini": ("messages", lambda response: gemini.API.read(response, "m", POST)),
    "bedrock": ("messages", lambda response: bedrock.CONVERSE.read(response, "m", POST)),
    "bedrock-openai": ("chat", lambda response: bedrock.OPENAI.read(response, "m", POST)),
}
_LINES = SEEDS["converse"][0].split(b"\n")
# Complete streams, as pieces that can be removed, repeated and exchanged.
CONVERSE = [message(KINDS[line[0] % 6], json.loads(line[1:])) for line in _LINES]
PIECES: dict[str, list[list[bytes]]] = {
    "openai": [data[1:].splitlines(keepends=True) for data in SEEDS["chat"]],
    "anthropic": [data[1:].splitlines(keepends=True) for data in SEEDS["messages"]],
    "gemini": [data[1:].splitlines(keepends=True) for data in SEEDS["gemini"]],
    "bedrock": [CONVERSE, [CONVERSE[0], message("!throttlingException", {"message": "m"})]],
}
PIECES["bedrock-openai"] = PIECES["openai"]


class Body(httpx2.AsyncByteStream):
    """A response's body, in these pieces; it breaks off at the end if ``breaks``."""

    def __init__(self, pieces: Iterable[bytes], *, breaks: bool) -> None:
        self._pieces = pieces
        self._breaks = breaks

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            yield piece
        if self._breaks:
            raise httpx2.RemoteProtocolError("cut")


async def pumped(provider: str, pieces: Iterable[bytes], *, breaks: bool = False) -> Tail:
    """The log of a stream with this body."""
    dialect, read = PROVIDERS[provider]

    @asynccontextmanager
    async def opened() -> AsyncIterator[AsyncIterator[bytes]]:
        yield read(httpx2.Response(200, stream=Body(pieces, breaks=breaks)))

    tail = Tail(Bounds())
    source = Source(framed(opened, 4096), DIALECTS[dialect].decoder())
    await Pump(source, tail, Facts(), Timeouts()).run()
    return tail


async def viewed(tail: Tail, provider: str, client: str) -> list[ServerSentEvent]:
    """Return the bytes sent to a client of this dialect."""
    dialect, encoder = PROVIDERS[provider][0], DIALECTS[client].encoder()
    rendering: Rendering = Verbatim(encoder)
    if client != dialect:
        rendering = Translated(DIALECTS[dialect].decoder(), encoder)
    parser = Parser()
    with tail.attach(1) as reader:
        writes = [rendering.open(META)]
        writes += [write async for write in view(reader, rendering, 60, Delivery())]
    return [event for write in writes for event in parser.feed(write)]


ENDS = ("[DONE]", "message_stop", "response.completed", "response.incomplete")
ERRORS = ("error", "response.failed", "abort")


def kind(event: ServerSentEvent) -> str:
    """Return whether the event is a clean end, an error, or neither."""
    if event.data.strip() == "[DONE]":
        return "end"
    result = json.loads(event.data)
    name = result.get("type", "")
    if name in ENDS:
        return "end"
    return "error" if name in ERRORS or result.get("error") else ""


def check(tail: Tail, events: list[ServerSentEvent], client: str) -> None:
    """Assert that there is one end, at last, which is clean exactly if the log's end is."""
    assert tail.end is not None
    kinds = [kind(event) for event in events]
    full = kinds[-1] == "end" and "error" not in kinds
    # The responses dialect has two events for an error, the UI's a part for the error's code.
    last = 2 if client in ("responses", "ui") else 1
    assert "end" not in kinds[:-last]
    assert "error" not in kinds[: -last - 1]
    assert kinds[-1] in ("end", "error")
    if tail.end.reason is not EndReason.DONE:
        assert not full
    elif client in ("chat", "events"):
        assert kinds.count("end") <= 1


@st.composite
def bodies(draw: st.DrawFn, provider: str) -> list[bytes]:
    """Draw a stream with pieces removed, repeated, exchanged and overwritten, split anywhere."""
    pieces = list(draw(st.sampled_from(PIECES[provider])))
    for _ in range(draw(st.integers(0, 3))):
        at, other = draw(st.integers(0, len(pieces))), draw(st.integers(0, len(pieces)))
        match draw(st.sampled_from(["cut", "drop", "repeat", "move", "overwrite", "insert"])):
            case "cut":
                del pieces[at:]
            case "drop":
                del pieces[at : at + 1]
            case "repeat":
                pieces[at:at] = pieces[other : other + 2]
            case "move":
                pieces[at:at] = [pieces.pop(other)] if other < len(pieces) else []
            case "insert":
                pieces.insert(
                    at, draw(st.binary(max_size=8) | st.just(b'data: {"detail":"x"}\n\n'))
                )
            case _:
                place = draw(st.integers(0, 60))
                new = draw(st.binary(min_size=1, max_size=3))
                pieces[at : at + 1] = [
                    piece[:place] + new + piece[place + 1 :] for piece in pieces[at : at + 1]
                ]
    body = b"".join(pieces)
    size = draw(st.sampled_from([1, 3, 17, 64, 10_000]))
    return [body[at : at + size] for at in range(0, len(body), size)]


@pytest.mark.parametrize("provider", PROVIDERS)
@given(draw=st.data(), breaks=st.booleans())
def test_any_stream_has_one_true_end(provider: str, draw: st.DataObject, breaks: bool) -> None:
    """In every dialect the end is clean only if the provider's terminator arrived."""

    async def example() -> None:
        tail = await pumped(provider, draw.draw(bodies(provider)), breaks=breaks)
        assert tail.end is not None
        assert tail.end.error is None or tail.end.error.code != "internal_error"
        for client in DIALECTS:
            check(tail, await viewed(tail, provider, client), client)

    asyncio.run(example())


@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_cut_is_an_error(provider: str) -> None:
    """A stream that stops anywhere before its terminator does not look complete."""

    async def example() -> None:
        for pieces in PIECES[provider]:
            body = b"".join(pieces)
            complete = await pumped(provider, [body])
            for at in range(0, len(body), 5):
                tail = await pumped(provider, [body[:at]], breaks=True)
                assert tail.end is not None
                if complete.end is not None and tail.end.reason is EndReason.DONE:
                    assert complete.end.reason is EndReason.DONE
                    assert b"[DONE]" in body[:at] or b"message_stop" in body[:at], at

    asyncio.run(example())


NOISE = {
    "no line end": b"data: " + b"x" * 4096,
    "small blocks": b'data: {"choices":[{"delta":{"content":"x"}}]}\n\n' * 90,
    "comments": b": x\n" * 1024,
    "blank lines": b"\n" * 4096,
    "returns": b"\r" * 4096,
    "open brackets": b"[" * 4096,
    "a brace and space": b"{" + b" " * 4095,
    "nothing much": b"\x00" * 4096,
}


COUNT = 400
"""Enough pieces for a line beyond the bound of 1 MiB."""
LINES = {"small blocks", "blank lines", "returns"}
"""Pieces with many lines, none too long: fewer and smaller ones show the growth."""


@pytest.mark.parametrize("noise", NOISE)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_endless_noise_is_bounded(provider: str, noise: str) -> None:
    """An endless body is stored up to a bound, and is not copied again for each piece."""
    part, count = (4, 80) if noise in LINES else (1, COUNT)
    piece = NOISE[noise][: len(NOISE[noise]) // part]

    def work(count: int) -> int:
        pieces = [piece] * count

        def act(pieces: Iterator[bytes]) -> None:
            asyncio.run(pumped(provider, pieces))

        return allocated(act, pieces)

    work(1)  # what a provider loads once
    # A buffer that is copied for each piece takes four times the work, and more than 13 MB of
    # pieces of 4 KiB.
    assert work(count) < 2.6 * work(count // 2) + 500_000 / part
