"""``python -m tokenwire`` as a person starts it: the greeting, the refusal, the shutdown."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pty
import re
import signal
import socket
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import httpx2
import pytest

from tests.fakes.ports import reserved_port
from tests.fakes.upstream import upstream
from tests.http.reading import read

PIPE = asyncio.subprocess.PIPE
pytestmark = [pytest.mark.outside, pytest.mark.measured]


@asynccontextmanager
async def started(**settings: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """The server as a process; killed at the end if it still runs."""
    async with printing_to(PIPE, settings) as process:
        yield process


@asynccontextmanager
async def printing_to(
    output: int, settings: Mapping[str, str]
) -> AsyncIterator[asyncio.subprocess.Process]:
    """As ``started``, with the standard output there."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("TOKENWIRE_", "OPENAI_"))}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tokenwire",
        env={**kept, **settings},
        stdout=output,
        stderr=PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_refuses_to_listen_without_keys() -> None:
    """On an address that others can reach it does not start, and says what to set."""
    async with started(TOKENWIRE_HOST="0.0.0.0") as process:
        _, result = await process.communicate()
    assert process.returncode == 1
    assert b"TOKENWIRE_API_KEYS" in result
    assert b"Traceback" not in result


@pytest.mark.parametrize(
    ("store", "says"),
    [
        ("memory://", "in this process"),
        ("rediss://me:hunter2@example.test", "in redis\n"),
        ("dynamodb://hunter2", "in dynamodb\n"),
        ("env:THERE", "in the store that env:THERE names"),
    ],
)
async def test_greeting_says_where_streams_are(store: str, says: str) -> None:
    """And not how to get there."""
    there = "redis://me:hunter2@127.0.0.1:1"
    async with started(TOKENWIRE_PORT="0", TOKENWIRE_STORE=store, THERE=there) as process:
        assert process.stderr is not None
        async with asyncio.timeout(20):
            result = await process.stderr.readuntil(b"No keys are set")
    assert f"streams: {says}" in result.decode()
    assert b"hunter2" not in result


async def test_bad_setting_is_one_sentence() -> None:
    """A mistake in a setting is not a traceback."""
    async with started(TOKENWIRE_PORT="many") as process:
        _, result = await process.communicate()
    assert process.returncode == 1
    assert result.decode().startswith("tokenwire: Bad setting:")


async def test_port_is_bound_before_the_greeting() -> None:
    """A port that is in use is one line, with what to do; nothing is printed about a server."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        async with started(TOKENWIRE_PORT=str(taken.getsockname()[1])) as process:
            _, result = await process.communicate()
    assert process.returncode == 1
    assert result.decode().startswith("tokenwire: cannot listen on 127.0.0.1:")
    assert b"--port" in result
    assert result.count(b"\n") == 1


async def test_ctrl_c_ends_in_one_line() -> None:
    """SIGINT is the usual way to stop: no traceback."""
    async with started(TOKENWIRE_PORT="0") as process:
        assert process.stderr is not None
        async with httpx2.AsyncClient(
            base_url=await greeted(process), trust_env=False, verify=False
        ) as client:
            await listening(client)
        async with asyncio.timeout(20):
            process.send_signal(signal.SIGINT)
            _, rest = await process.communicate()
    assert process.returncode == 0
    assert rest.decode().splitlines()[-1] == "tokenwire: stopped"
    assert b"Traceback" not in rest


async def test_shutdown_tells_open_streams() -> None:
    """On SIGTERM an open stream ends with an error it can read, and the process leaves."""
    port = reserved_port()
    async with (
        started(TOKENWIRE_PORT=str(port)) as process,
        httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", trust_env=False, verify=False
        ) as client,
    ):
        await listening(client)
        body = {"message": "hi /stall 600"}
        async with client.stream("POST", "/api/stream", json=body) as response:
            received = b""
            async for data in response.aiter_bytes():
                if not received:
                    process.send_signal(signal.SIGTERM)
                received += data
        out, err = await process.communicate()

    assert read(received)[-1][1]["code"] == "shutting_down"
    assert b"answers on this machine only" in err
    assert b"Traceback" not in err
    assert out.count(b'"message":"request"') >= 1


async def listening(client: httpx2.AsyncClient) -> None:
    """Wait until the server answers."""
    async with asyncio.timeout(30):
        while True:
            try:
                await client.get("/healthz")
                return
            except httpx2.ConnectError:
                await asyncio.sleep(0.05)


@pytest.mark.parametrize(("variables", "colour"), [({}, True), ({"NO_COLOR": "1"}, False)])
async def test_terminal_gets_one_line_a_request(variables: dict[str, str], colour: bool) -> None:
    """Where the output is a terminal, lines are short and, without NO_COLOR, coloured."""
    reader, writer = pty.openpty()
    settings = {"TOKENWIRE_PORT": "0", "TERM": "xterm", **variables}
    async with printing_to(writer, settings) as process:
        os.close(writer)
        url = await greeted(process)
        async with httpx2.AsyncClient(base_url=url, trust_env=False, verify=False) as client:
            await listening(client)
            body = {"message": "x /fast", "model": "demo/fast"}
            await client.post("/api/stream", json=body, headers={"accept": "text/event-stream"})
            await client.get("/nowhere")
        process.send_signal(signal.SIGINT)
        await process.wait()
    lines = await asyncio.to_thread(printed, reader)
    plain = [re.sub(r"\x1b\[\d+m", "", line) for line in lines]
    assert ("\x1b[32m200\x1b[0m" in "".join(lines)) is colour
    assert ("\x1b" in "".join(lines)) is colour
    assert any(re.fullmatch(r"\S+ demo: \d+ models", line) for line in plain)
    assert any(
        re.fullmatch(r"\S+ POST /api/stream 200 demo/fast \d+\+\d+ tokens [\d.]+s done", line)
        for line in plain
    )
    assert any("GET - 404" in line for line in plain)


async def greeted(process: asyncio.subprocess.Process) -> str:
    """The URL that the greeting names."""
    assert process.stderr is not None
    async with asyncio.timeout(30):
        greeting = await process.stderr.readuntil(b"No keys are set")
    return greeting.decode().partition("tokenwire on ")[2].split()[0]


def printed(terminal: int) -> list[str]:
    """What was printed to a terminal that has been closed at its other end."""
    received = b""
    with contextlib.suppress(OSError):
        while part := os.read(terminal, 65536):
            received += part
    os.close(terminal)
    return received.decode().splitlines()


async def test_greeting_tells_what_providers_answer() -> None:
    """Beside the address; a key is in none of it. What is logged is JSON."""
    async with upstream() as refusing:
        refusing.answer(b"{}", status=401)
        keys = {"OPENAI_API_KEY": "sk-hunter2", "OPENAI_BASE_URL": refusing.base_url}
        async with started(TOKENWIRE_PORT="0", **keys) as process:
            assert process.stderr is not None
            assert process.stdout is not None
            async with asyncio.timeout(30):
                printed = await process.stderr.readuntil(b"without a model: refused\n")
                logged = json.loads(await process.stdout.readline())
                logged = (
                    logged
                    if logged["provider"] == "openai"
                    else json.loads(await process.stdout.readline())
                )
    assert b"  openai: key refused (401)\n" in printed
    assert (logged["provider"], logged["status"]) == ("openai", "refused")
    assert b"hunter2" not in printed + json.dumps(logged).encode()
