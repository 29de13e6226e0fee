"""The pump: what it keeps, what it notes, and that it always leaves an end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.framing import framed
from tests.fakes.upstream import DONE, ROLE, STOP, chunk, complete, text, usage
from tokenwire.dialects.chat import DIALECT
from tokenwire.errors import ClientError, UpstreamError
from tokenwire.events import Usage
from tokenwire.stores.records import EndReason
from tokenwire.streams.blocks import Bounds
from tokenwire.streams.deadline import Timeouts
from tokenwire.streams.facts import Facts
from tokenwire.streams.pump import Pump, Source
from tokenwire.streams.tail import Tail

Opened = Callable[[], AbstractAsyncContextManager[AsyncIterator[bytes]]]


def sends(*pieces: bytes | Exception) -> Opened:
    """An upstream that sends these, and raises where an exception stands."""

    async def body() -> AsyncIterator[bytes]:
        for piece in pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    @asynccontextmanager
    async def opened() -> AsyncIterator[AsyncIterator[bytes]]:
        yield body()

    return opened


async def pumped(
    opened: Opened,
    bounds: Bounds | None = None,
    timeouts: Timeouts | None = None,
    max_block: int = 4096,
) -> tuple[Tail, Facts]:
    """The log and the facts that a pump leaves."""
    tail, facts = Tail(bounds or Bounds()), Facts()
    source = Source(framed(opened, max_block), DIALECT.decoder())
    await Pump(source, tail, facts, timeouts or Timeouts()).run()
    return tail, facts


def held(tail: Tail) -> bytes:
    """All blocks in the log."""
    with tail.attach(1) as reader:
        return b"".join(reader.take(1 << 30))


@pytest.mark.parametrize("size", [1, 2, 7, 64, 100_000])
async def test_any_cut_gives_same_blocks(size: int) -> None:
    """However the bytes are cut, the log holds the same blocks and the same end."""
    sent = b"".join(complete("Hel", "lö", "☃"))
    tail, facts = await pumped(sends(*(sent[n : n + size] for n in range(0, len(sent), size))))

    assert held(tail) + DONE == sent
    assert tail.end is not None
    assert (tail.end.reason, tail.end.block) == (EndReason.DONE, DONE)
    assert (facts.blocks, facts.bytes) == (6, len(sent) - len(DONE))


async def test_facts_are_noted() -> None:
    """Model, usage, finish and instants are known without keeping any text."""
    _, facts = await pumped(sends(*complete("Hi")))

    assert facts.response_model == "gpt-x"
    assert facts.usage == Usage(input_tokens=3, output_tokens=2)
    assert facts.finish_reasons == ["stop"]
    assert facts.first_upstream_byte is not None
    assert facts.first_content is not None
    assert facts.ended is not None
    assert facts.first_upstream_byte <= facts.first_content <= facts.ended


async def test_role_is_not_content() -> None:
    """The first content is the first text, not the empty chunk that names the role."""
    _, facts = await pumped(sends(ROLE, STOP, DONE))

    assert facts.first_content is None


@pytest.mark.parametrize(
    ("pieces", "code"),
    [
        ((), "upstream_truncated"),
        ((ROLE, text("a")), "upstream_truncated"),
        ((ROLE, STOP, b"data: {"), "upstream_truncated"),
        ((ROLE, b"data: {\n\n"), "upstream_malformed"),
        ((b"data: " + b"x" * 5000,), "upstream_malformed"),
        ((b"data: " + b"x" * 5000 + b"\n\n",), "upstream_malformed"),
        ((ROLE, UpstreamError("x", code="upstream_disconnected")), "upstream_disconnected"),
        ((ROLE, ClientError("x", code="their_fault")), "their_fault"),
        ((ROLE, RuntimeError("a surprise")), "internal_error"),
        ((ROLE, b'data: {"error":{"type":"rate_limit_error"}}\n\n'), "upstream_rate_limited"),
    ],
)
async def test_every_failure_is_an_end(pieces: tuple[bytes | Exception, ...], code: str) -> None:
    """Nothing escapes the pump: each failure is an end record with a code."""
    tail, _ = await pumped(sends(*pieces))

    assert tail.end is not None
    assert tail.end.error is not None
    assert (tail.end.reason, tail.end.error.code) == (EndReason.ERROR, code)


SECRET = b"Bearer sk-secret"


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (b'data: {"choices":[{"delta":{"content":"cut off\n\n', "upstream_malformed"),
        (b'data: {"choices":[{"index":0 "delta":{}}]}\n\n', "upstream_malformed"),
        (b'data: {"choices":[]}}\n\n', "upstream_malformed"),
        (b"data: <html>" + SECRET + b"</html>\n\n", "upstream_malformed"),
        (b'data: {"detail":"' + SECRET + b'"}\n\n', "upstream_malformed"),
        (b'event: error\ndata: {"detail":"' + SECRET + b'"}\n\n', "upstream_error"),
        (b"data: " + b"x" * 5000 + b"\n\n", "upstream_malformed"),
        (b"data: " + b"x" * 5000, "upstream_malformed"),
    ],
)
async def test_bad_block_ends_the_stream_after_the_good_ones(bad: bytes, code: str) -> None:
    """Blocks before a bad one are kept, in the same read too; it and what follows are not."""
    good = ROLE + text("one") + text("two")
    for pieces in ((good + bad + text("late"),), (good, bad, text("late"))):
        tail, facts = await pumped(sends(*pieces))

        assert held(tail) == good
        assert facts.blocks == 3
        assert tail.end is not None
        assert tail.end.error is not None
        assert (tail.end.reason, tail.end.error.code) == (EndReason.ERROR, code)
        assert "secret" not in repr(tail.end)


async def test_bytes_that_are_no_text_are_replaced() -> None:
    """Half a character, which makes some SDKs fail, becomes U+FFFD; whole ones stay."""
    tail, _ = await pumped(sends(ROLE, text("caf?").replace(b"?", b"\xc3"), text("é"), STOP, DONE))

    assert held(tail) == ROLE + text("caf?").replace(b"?", "\ufffd".encode()) + text("é") + STOP


async def test_surprise_is_logged_without_text(caplog: pytest.LogCaptureFixture) -> None:
    """An unexpected exception's text may quote anything, so only its type is logged."""
    await pumped(sends(RuntimeError("sk-secret in a prompt")))

    assert "RuntimeError" in caplog.text
    assert "secret" not in caplog.text


async def test_unended_terminator_counts() -> None:
    """A [DONE] whose blank line never came is still the end of a whole answer."""
    tail, _ = await pumped(sends(ROLE, text("a"), b"data: [DONE]\n"))

    assert tail.end is not None
    assert tail.end.reason is EndReason.DONE


async def test_nothing_after_terminator() -> None:
    """What a provider sends after its terminator is read, and dropped."""
    tail, _ = await pumped(sends(ROLE, STOP, DONE + text("late"), text("later")))

    assert held(tail) == ROLE + STOP


async def test_broken_connection_after_terminator() -> None:
    """A whole answer stays whole when its connection then breaks."""
    broken = UpstreamError("x", code="upstream_disconnected")
    tail, _ = await pumped(sends(ROLE, STOP, DONE, broken))

    assert tail.end is not None
    assert tail.end.reason is EndReason.DONE


async def test_cancelled_pump_leaves_end() -> None:
    """A cancelled pump closes its upstream, and says that it was cancelled."""
    closed = asyncio.Event()

    @asynccontextmanager
    async def opened() -> AsyncIterator[AsyncIterator[bytes]]:
        async def body() -> AsyncIterator[bytes]:
            yield ROLE
            await asyncio.sleep(3600)

        try:
            yield body()
        finally:
            closed.set()

    tail, facts = Tail(Bounds()), Facts()
    task = asyncio.create_task(
        Pump(Source(framed(opened), DIALECT.decoder()), tail, facts, Timeouts()).run()
    )
    while facts.blocks == 0:
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])

    assert closed.is_set()
    assert tail.end is not None
    assert tail.end.reason is EndReason.CANCELLED


async def test_slow_reader_stops_reading_upstream() -> None:
    """Past the window the pump stops reading, and idle time is not counted."""
    reads = 0

    @asynccontextmanager
    async def opened() -> AsyncIterator[AsyncIterator[bytes]]:
        async def body() -> AsyncIterator[bytes]:
            nonlocal reads
            for _ in range(100):
                reads += 1
                yield text("x" * 1000)
            yield STOP + DONE

        yield body()

    tail, facts = Tail(Bounds(window=10_000)), Facts()
    pump = Pump(Source(framed(opened), DIALECT.decoder()), tail, facts, Timeouts(idle=0.05))
    with tail.attach(1) as reader:
        task = asyncio.create_task(pump.run())
        await asyncio.sleep(0.2)
        assert reads < 15
        assert tail.end is None
        while reader.ended is None:
            await reader.wait(1)
            reader.take()
        await task

    assert reads == 100
    assert facts.blocks == 101


async def test_usage_chunk_with_choices_is_noted() -> None:
    """Some servers put usage into every chunk; the last one counts."""
    counts = {"prompt_tokens": 1, "completion_tokens": 9, "total_tokens": 10}
    _, facts = await pumped(sends(ROLE, chunk({"content": "a"}, usage=counts), STOP, usage(), DONE))

    assert facts.usage == Usage(3, 2)


async def test_names_of_a_provider_are_cut() -> None:
    """Of a model's name and of finish reasons so much is kept as a log line could show."""
    named = chunk({"role": "assistant"}, model="m" * 1000)
    ends = [chunk({}, finish="f" * 1000)] * 200
    _, facts = await pumped(sends(named, *ends, DONE))

    assert facts.response_model == "m" * 256
    assert {len(reason) for reason in facts.finish_reasons} == {256}
    assert len(facts.finish_reasons) == 128


ODD = [ROLE, STOP, usage(), chunk({"content": "x"}, id=None), text("y"), text('"q"\n')]


@given(st.lists(st.sampled_from([text("a"), text(" the"), *ODD]), max_size=20), st.integers(0, 199))
def test_many_blocks_of_one_read_are_logged_as_one_by_one(odd: list[bytes], at: int) -> None:
    """Checked together or each: the same log, the same facts."""
    same = [text(f"w{n}") for n in range(200)]
    blocks = [ROLE, text("a"), *same[:at], *odd, *same[at:], DONE]
    begun = b"".join(blocks[:2])

    async def both() -> tuple[tuple[Tail, Facts], tuple[Tail, Facts]]:
        return await pumped(sends(begun, b"".join(blocks[2:])), max_block=1 << 20), await pumped(
            sends(*blocks)
        )

    (together, facts), (apart, expected) = asyncio.run(both())
    assert held(together) == held(apart)
    assert together.end == apart.end
    assert (facts.blocks, facts.bytes, facts.usage, facts.finish_reasons) == (
        expected.blocks,
        expected.bytes,
        expected.usage,
        expected.finish_reasons,
    )


@pytest.mark.parametrize("at", [0, 63, 64, 150])
async def test_malformed_block_among_many_ends_the_stream_where_it_stands(at: int) -> None:
    """Those before it are in the log, those after it are not."""
    blocks = [text(f"w{n}") for n in range(200)]
    blocks[at] = blocks[at].replace(b'"content":"', b'"content":')
    tail, _ = await pumped(sends(ROLE + text("a"), b"".join(blocks)), max_block=1 << 20)
    assert held(tail) == b"".join([ROLE, text("a"), *blocks[:at]])
    assert tail.end is not None
    assert tail.end.error is not None
    assert tail.end.error.code == "upstream_malformed"
