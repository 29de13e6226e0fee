"""Several processes on one port, with a real Redis: one server to its clients."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import httpx2
import pytest

from tests.fakes.ports import reserved_port
from tests.fakes.workers import Workers, start, until
from tests.http.reading import read
from tests.stores.servers import Server

_BLOCKS = r"^tokenwire_blocks_total\{.*\} (\S+)$"
pytestmark = [
    pytest.mark.outside,
    pytest.mark.measured,
    pytest.mark.xdist_group("workers"),
    pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc"),
]


@pytest.fixture(scope="module")
def server(server_of: Callable[[str], Server]) -> Iterator[Workers]:
    """Two workers; a producer without a sign of life is considered dead after a second."""
    settings = {"TOKENWIRE_LEASE": "1s", "TOKENWIRE_DEMO_PACE": "2000"}
    found = start(2, reserved_port(), TOKENWIRE_STORE=server_of("redis").url, **settings)
    yield found
    if found.process.poll() is None:
        found.process.kill()
    found.process.communicate()


@pytest.fixture
async def both(server: Workers) -> AsyncIterator[list[httpx2.AsyncClient]]:
    """A client of each worker."""
    until(lambda: len(server.pids) == 2)
    one, other = server.pids
    async with server.client(one) as first, server.client(other) as second:
        yield [first, second]


async def begun(client: httpx2.AsyncClient, message: str, **fields: str) -> dict[str, str]:
    """Start a stream; return its description."""
    response = await client.post("/v1/streams", json={"message": message, **fields})
    assert response.status_code == 201
    found: dict[str, str] = response.json()
    return found


def events_of(received: bytes) -> list[Any]:
    """Return the events, without their ids."""
    return [event for _, event in read(received)]


async def test_stream_is_watched_and_cancelled_in_another_worker(
    both: list[httpx2.AsyncClient],
) -> None:
    """Any worker finds a stream, follows it and ends it, also by a ticket that another signed."""
    here, there = both
    stream = await begun(here, "hi /stall 600")

    async with there.stream("GET", stream["url"]) as watched:
        received, cancelled = b"", False
        async for data in watched.aiter_bytes():
            received += data
            if not cancelled:
                cancelled = True
                answer = await here.post(f"/v1/streams/{stream['id']}/cancel")
                assert answer.json()["end_reason"] == "cancelled"

    assert watched.status_code == 200
    events = events_of(received)
    assert events[0]["type"] == "start"
    assert events[-1]["code"] == "cancelled"


async def test_stream_is_resumed_in_another_worker(both: list[httpx2.AsyncClient]) -> None:
    """What one worker began to send, the other continues after the client's last id."""
    here, there = both
    body = {"message": "hi", "on_disconnect": "continue"}
    whole = (await here.post("/api/stream", json=body)).content
    ids = re.findall(rb"^id: (\S+)$", whole, re.MULTILINE)
    middle = ids[len(ids) // 2].decode()

    stream, rest = middle.split(".")[0], whole.split(f"id: {middle}\n".encode(), 1)[1]
    resumed = await there.get(f"/v1/streams/{stream}", headers={"last-event-id": middle})

    assert events_of(resumed.content) == events_of(rest.split(b"\n\n", 1)[1])


async def test_idempotency_key_is_known_to_all_workers(both: list[httpx2.AsyncClient]) -> None:
    """A POST that is repeated at another worker joins the stream of the first."""
    here, there = both
    headers = {"idempotency-key": os.urandom(8).hex()}
    first = await here.post("/api/stream", json={"message": "hi"}, headers=headers)
    second = await there.post("/api/stream", json={"message": "hi"}, headers=headers)

    assert first.headers["x-stream-id"] == second.headers["x-stream-id"]
    assert read(first.content) == read(second.content)


def counted(scrape: httpx2.Response, name: str) -> float:
    """Return the value of a metric in a scrape."""
    values = re.findall(rf"^{re.escape(name)} (\S+)$", scrape.text, re.MULTILINE)
    assert len(values) == 1
    return float(values[0])


def blocks_in(scrape: httpx2.Response) -> float:
    """Return the number of blocks in a scrape; 0 before the first stream has ended."""
    return sum(map(float, re.findall(_BLOCKS, scrape.text, re.MULTILINE)))


async def test_metrics_are_summed_over_workers(both: list[httpx2.AsyncClient]) -> None:
    """A scrape of any worker has the streams of all, ended and open."""
    done = 'tokenwire_streams_total{end_reason="done",provider="demo"}'
    lasted = 'tokenwire_stream_duration_seconds_count{provider="demo"}'
    for client in both:
        await client.post("/api/stream", json={"message": "hi"})
    before = [await client.get("/metrics") for client in both]
    assert counted(before[0], done) == counted(before[1], done) >= 2

    running = [await begun(client, "hi /stall 600") for client in both]
    for client in both:
        await client.post("/api/stream", json={"message": "hi"})

    for client in both:
        async with asyncio.timeout(10):  # a gauge of another worker is up to a second old
            while counted(scrape := await client.get("/metrics"), "tokenwire_open_streams") != 2:
                await asyncio.sleep(0.1)
        assert counted(scrape, done) - counted(before[0], done) == 2
        assert counted(scrape, lasted) - counted(before[0], lasted) == 2
        assert counted(scrape, "tokenwire_store_failing") == 0
    for stream in running:
        await both[0].post(f"/v1/streams/{stream['id']}/cancel")
    async with asyncio.timeout(10):  # the other worker notices it within half a second
        while counted(await both[0].get("/metrics"), "tokenwire_open_streams") != 0:
            await asyncio.sleep(0.1)


async def test_killed_worker_is_replaced_and_its_streams_are_lost(server: Workers) -> None:
    """Its viewers in other workers get the end ``lost``; counters keep its numbers."""
    one, other = server.pids
    async with server.client(other) as there:
        async with server.client(one) as here:
            before = blocks_in(await there.get("/metrics"))
            await here.post("/api/stream", json={"message": "hi"})
            async with asyncio.timeout(10):  # a stream is counted just after its client has its end
                while (blocks := blocks_in(await there.get("/metrics"))) == before:
                    await asyncio.sleep(0.05)
            stream = await begun(here, "hi /stall 600")
            async with there.stream("GET", stream["url"]) as watched:
                parts = watched.aiter_bytes()
                received = await anext(parts)
                os.kill(one, signal.SIGKILL)
                received += b"".join([part async for part in parts])
        assert read(received)[-1][1]["code"] == "lost"
        until(lambda: len(server.pids) == 2)
        assert one not in server.pids

        (new,) = set(server.pids) - {other}
        async with server.client(new) as again:
            scrape = await again.get("/metrics")
            assert blocks_in(scrape) == blocks
            assert counted(scrape, "tokenwire_open_streams") == 0


async def test_sigterm_ends_the_streams_of_all_workers(server: Workers) -> None:
    """Each open stream gets an end that its client can read; the server leaves with status 0."""

    async def streamed(client: httpx2.AsyncClient, is_open: asyncio.Event) -> bytes:
        received = b""
        async with client.stream("POST", "/api/stream", json={"message": "hi /stall 600"}) as found:
            async for data in found.aiter_bytes():
                is_open.set()
                received += data
        return received

    one, other = server.pids
    async with server.client(one) as first, server.client(other) as second:
        opened = [asyncio.Event(), asyncio.Event()]
        clients = zip((first, second), opened, strict=True)
        tasks = [asyncio.create_task(streamed(*each)) for each in clients]
        for event in opened:
            await event.wait()
        status = await asyncio.to_thread(server.stop)
        ends = [read(received)[-1][1]["code"] for received in await asyncio.gather(*tasks)]

    _, err = server.process.communicate()
    assert ends == ["shutting_down", "shutting_down"]
    assert status == 0
    assert b"Traceback" not in err
    assert b"workers: 2" in err


def test_replacement_is_logged(server_of: Callable[[str], Server]) -> None:
    """One line for each worker that dies, and none for those that are stopped."""
    server = start(2, reserved_port(), TOKENWIRE_STORE=server_of("redis").url)
    first = server.pids
    os.kill(first[0], signal.SIGKILL)
    until(lambda: len(server.pids) == 2 and server.pids != first)
    assert server.stop() == 0
    assert server.process.communicate()[0].count(b"it is replaced") == 1


def refused(**settings: str) -> str:
    """Start a server that refuses to; return what it says."""
    started = start(2, int(settings.pop("port", "0")), **settings)
    _, err = started.process.communicate(timeout=30)
    assert started.process.returncode == 1
    return err.decode()


def test_workers_without_a_shared_store_are_refused() -> None:
    """The sentence names both settings."""
    printed = refused()
    assert printed.startswith("tokenwire: With TOKENWIRE_WORKERS=2 a stream must be found")
    assert "TOKENWIRE_STORE" in printed
    assert printed.count("\n") == 1


def test_address_in_use_is_one_sentence(server_of: Callable[[str], Server]) -> None:
    """Also where the other server shares its port with its own workers."""
    redis = server_of("redis")
    printed = refused(port=str(redis.port), TOKENWIRE_STORE=redis.url)
    assert "tokenwire: cannot listen on 127.0.0.1:" in printed
    assert "Traceback" not in printed


def test_workers_end_with_their_parent(server_of: Callable[[str], Server]) -> None:
    """A parent that is killed leaves no worker behind."""
    server = start(2, reserved_port(), TOKENWIRE_STORE=server_of("redis").url)
    pids = server.pids
    server.process.send_signal(signal.SIGKILL)
    server.process.communicate(timeout=30)
    until(lambda: not any(map(_runs, pids)))


@pytest.mark.parametrize(("how", "status"), [("start", 1), ("stop", 0)])
def test_workers_that_fail_do_not_keep_the_server(how: str, status: int) -> None:
    """One that cannot start ends the server; one that does not stop is killed."""
    command = [sys.executable, "-m", "tests.fakes.failing_workers", how]
    result = subprocess.run(command, check=False, capture_output=True, timeout=30)
    assert result.returncode == status
    assert (b"could not start; the server stops" in result.stderr) == (how == "start")
    assert b"Traceback" not in result.stderr


def _runs(pid: int) -> bool:
    return (
        subprocess.run(["kill", "-0", str(pid)], check=False, capture_output=True).returncode == 0
    )
