"""``starting_after`` of a response that runs in another process, in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.fakes.memory_store import MemoryStore
from tests.fakes.upstream import DONE, ROLE, STOP, text
from tests.fakes.virtual import run
from tests.streams.test_keeping import Tap, hub, start
from tokenwire.dialects import DIALECTS
from tokenwire.errors import ClientError
from tokenwire.gateway.numbers import check_number
from tokenwire.streams.hub import Hub
from tokenwire.streams.stream import Stream

HALF = (ROLE, text("a"), text("b"))
"""As events: created, in_progress, the item, its part, and two pieces of text. The last is 5."""
Scene = Callable[[Hub, Stream, Tap], Awaitable[None]]


async def check(stream: Stream, number: int) -> None:
    """As ``check_number``, with the decoder of the stream's dialect."""
    await check_number(stream, DIALECTS[stream.meta.dialect].decoder(), number)


def played(scene: Scene) -> None:
    """The scene in a process other than the one that runs the stream, which has sent ``HALF``."""

    async def play() -> None:
        store, tap = MemoryStore(), Tap()
        here, there = hub(store), hub(store)
        ours = await start(here, tap)
        tap.send(*HALF)
        await asyncio.sleep(0.1)
        await scene(there, await there.find(ours.meta.id, "me"), tap)
        tap.send(STOP, DONE)
        for one in (here, there):
            await one.aclose()

    run(play)


def test_caller_may_be_ahead_of_the_store() -> None:
    """A client may be ahead of the store: the check waits for the client's last event."""

    async def scene(_: Hub, stream: Stream, tap: Tap) -> None:
        await check(stream, 5)
        coming = asyncio.create_task(check(stream, 6))
        await asyncio.sleep(1)
        assert not coming.done()
        tap.send(text("c"))
        await asyncio.wait_for(coming, 0.5)

    played(scene)


@pytest.mark.parametrize(("words", "seconds"), [(0, 2), (4, 2 + 4), (100, 10)])
def test_number_that_is_nowhere_is_refused(words: int, seconds: int) -> None:
    """The check fails two seconds after the last block, or after ten seconds in all."""

    async def scene(_: Hub, stream: Stream, tap: Tap) -> None:
        clock = asyncio.get_running_loop().time
        before = clock()
        coming = asyncio.create_task(check(stream, 999_999))
        for number in range(words):
            await asyncio.sleep(1)
            tap.send(text(str(number)))
            if coming.done():
                break
        with pytest.raises(ClientError) as caught:
            await coming
        assert (caught.value.code, caught.value.param) == ("invalid_cursor", "starting_after")
        assert seconds - 1 < clock() - before < seconds + 2

    played(scene)


def test_end_answers_for_every_number() -> None:
    """The check passes when the stream ends meanwhile: the response tells the end."""

    async def scene(_: Hub, stream: Stream, tap: Tap) -> None:
        coming = asyncio.create_task(check(stream, 999_999))
        await asyncio.sleep(0.5)
        tap.send(STOP, DONE)
        await asyncio.wait_for(coming, 1)
        await check(stream, 999_999)

    played(scene)


def test_unreadable_block_is_an_error_in_the_stream() -> None:
    """The check passes at an unreadable block: the response that resumes tells the error."""

    async def scene(_: Hub, stream: Stream, tap: Tap) -> None:
        stream.tail.append([b"data: {\n\n"])
        await check(stream, 5)
        await check(stream, 999_999)

    played(scene)
