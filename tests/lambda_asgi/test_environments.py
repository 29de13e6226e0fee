"""Environments of the local function: how they start, how many at a time, and how they end."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest

from lambda_asgi.local.environment import Environment, InitFailed
from lambda_asgi.local.extensions import MAX_EXTENSIONS
from lambda_asgi.local.function import Function
from lambda_asgi.local.invocation import End, Failed, Invocation, Throttled
from lambda_asgi.local.invoke import InvokeApi
from lambda_asgi.local.pool import Pool
from tests.lambda_asgi.raw import COMMAND, raw_client

pytestmark = pytest.mark.outside


class Counted:
    """An environment without a process, which counts those that start at the same time."""

    starting = 0
    most = 0
    made = 0

    def __init__(self, failure: Failed | OSError | None = None) -> None:
        self.retired = False
        self._failure = failure
        type(self).made += 1

    async def start(self) -> None:
        """Take some turns of the event loop."""
        kind = type(self)
        kind.starting += 1
        kind.most = max(kind.most, kind.starting)
        for _ in range(10):
            await asyncio.sleep(0)
        kind.starting -= 1
        if isinstance(self._failure, OSError):
            raise self._failure
        if self._failure is not None:
            raise InitFailed(self._failure)

    async def invoke(self, invocation: Invocation) -> None:
        """Answer after a turn."""
        await asyncio.sleep(0)
        invocation.end()

    def stop(self, reason: str = "SPINDOWN") -> None:
        """Nothing runs."""
        self.retired = True

    async def wait(self) -> None:
        """Nothing runs."""


def invocation() -> Invocation:
    """An invocation with nothing in it."""
    return Invocation("id", b"{}", "Root=1")


async def test_environments_start_a_few_at_a_time() -> None:
    """Of 50 requests at once all are answered, and never more than 3 environments start."""

    class Environments(Counted):
        """Of this test."""

    pool = Pool(Function("f", {}), 50, starts=3, make=lambda *_: Environments())
    all_of_them = [invocation() for _ in range(50)]
    for each in all_of_them:
        pool.invoke(each)
    with pytest.raises(Throttled):
        pool.invoke(invocation())
    ends = [await each.drain() for each in all_of_them]
    await pool.close()

    assert ends == [End()] * 50
    assert Environments.most == 3
    # Those that were ready first took the short requests of the others.
    assert Environments.made < 50


async def test_concurrent_requests_need_fewer_environments() -> None:
    """Four at a time in each: eight requests, two environments."""

    class Environments(Counted):
        """Of this test."""

    function = Function("f", {}, concurrency=4)
    pool = Pool(function, 2, starts=8, make=lambda *_: Environments())
    all_of_them = [invocation() for _ in range(8)]
    for each in all_of_them:
        pool.invoke(each)
    for each in all_of_them:
        assert await each.drain() == End()
    await pool.close()

    assert Environments.made == 2


@pytest.mark.parametrize(
    ("cause", "failure"),
    [
        (Failed("Runtime.InitError", "no"), Failed("Runtime.InitError", "no")),
        (
            OSError("full"),
            Failed("Sandbox.Failure", "No environment can be started: full"),
        ),
    ],
)
async def test_failed_start_fails_what_it_was_for(cause: Failed | OSError, failure: Failed) -> None:
    """One environment's worth of requests; the others wait for the next."""
    outcomes = [cause, None, None]
    pool = Pool(Function("f", {}), 2, starts=1, make=lambda *_: Counted(outcomes.pop(0)))
    first, second = invocation(), invocation()
    pool.invoke(first)
    pool.invoke(second)

    assert await first.drain() == failure
    assert await second.drain() == End()
    await pool.close()


async def test_init_has_its_own_limit(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """An init phase that takes too long is stopped, and tried again within the invocation."""
    stalls_once = f"mkdir {tmp_path}/stalled 2>&- && exec sleep 60; exec {' '.join(COMMAND)}"
    async with raw_client(command=("sh", "-c", stalls_once), init_seconds=2.0) as send:
        response = await send(parts=["1"])

    assert response.status_code == 200
    output = capfd.readouterr().out
    (line,) = [line for line in output.splitlines() if line.startswith("INIT_REPORT")]
    assert line.endswith("Phase: init\tStatus: timeout")


async def test_second_init_ends_with_the_invocation(capfd: pytest.CaptureFixture[str]) -> None:
    """If that takes too long as well, the request has timed out."""
    command = (sys.executable, "-c", "import time; time.sleep(60)")
    async with raw_client(command=command, init_seconds=0.2, timeout=0.3) as send:
        response = await send()

    assert response.status_code == 502
    assert response.headers["x-amzn-errortype"] == "Sandbox.Timedout"
    output = capfd.readouterr().out
    assert [line.partition("\t")[2] for line in output.splitlines() if "INIT_REPORT" in line] == [
        "Phase: init\tStatus: timeout",
        "Phase: invoke\tStatus: timeout",
    ]


async def test_init_limit_is_lambda_s() -> None:
    """Ten seconds, unless a test says otherwise."""
    assert Function("f", {}).init_seconds == 10


@pytest.mark.parametrize(
    ("command", "kind", "logged"),
    [
        (("/nonexistent/runtime",), "Runtime.InvalidEntrypoint", "No such file"),
        (("sh", "-c", "echo oh no; exit 3"), "Runtime.InitError", "exit status 3"),
    ],
)
async def test_command_that_cannot_start(
    command: tuple[str, ...], kind: str, logged: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """A 502, and the reason in the log, with all of the command's output."""
    async with raw_client(command=command) as send:
        response = await send()

    assert response.status_code == 502
    assert response.headers["x-amzn-errortype"] == kind
    output = capfd.readouterr().out
    assert logged in output
    assert "nonexistent" in command[0] or "oh no" in output


async def test_extension_gets_events_and_a_shutdown(tmp_path: Path) -> None:
    """INVOKE with the invocation's id and deadline; SHUTDOWN, and time for it, at the end."""
    file = tmp_path / "events"
    runtime = " ".join(COMMAND)
    command = ("sh", "-c", f"{runtime} extension & exec {runtime}")
    async with raw_client({"EXTENSION_FILE": str(file)}, command=command) as send:
        response = await send(echo=True)
        await send(parts=["1"])

    events = [json.loads(line) for line in file.read_text().splitlines()]
    assert [event["eventType"] for event in events] == ["INVOKE", "INVOKE", "SHUTDOWN"]
    headers = response.json()["headers"]
    assert events[0]["requestId"] == headers["Lambda-Runtime-Aws-Request-Id"]
    assert str(events[0]["deadlineMs"]) == headers["Lambda-Runtime-Deadline-Ms"]
    assert events[0]["invokedFunctionArn"] == headers["Lambda-Runtime-Invoked-Function-Arn"]
    assert events[0]["tracing"]["value"] == headers["Lambda-Runtime-Trace-Id"]
    assert events[2]["shutdownReason"] == "SPINDOWN"


EXTENSIONS = """
import http.client, json, os
def call(method, path, body=None, **headers):
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    connection.request(method, "/2020-01-01/extension/" + path, body, named)
    response = connection.getresponse()
    return response, json.loads(response.read())
found = []
def note(response, body):
    found.append([response.status, body.get("errorType", body)])
note(*call("POST", "register", "{}"))
note(*call("POST", "register", '{"events":["ODD"]}', Lambda_Extension_Name="a"))
note(*call("POST", "register", "[]", Lambda_Extension_Name="a"))
note(*call("GET", "event/next"))
accept = {"Lambda_Extension_Accept_Feature": "accountId"}
response, body = call("POST", "register", "{}", Lambda_Extension_Name="a", **accept)
note(response, body)
identifier = {"Lambda_Extension_Identifier": response.headers["Lambda-Extension-Identifier"]}
note(*call("POST", "nothing", "{}", **identifier))
for _ in range(LIMIT):
    last = call("POST", "register", "{}", Lambda_Extension_Name="a")
note(*last)
kind = {"Lambda_Extension_Function_Error_Type": "Extension.Odd"}
note(*call("POST", "init/error", "{}", **identifier, **kind))
print("FOUND", json.dumps(found))
"""


async def test_extensions_are_refused_as_lambda_refuses_them(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Names, event types and identifiers are checked; an extension's init error fails the init."""
    program = EXTENSIONS.replace("LIMIT", str(MAX_EXTENSIONS))
    async with raw_client(command=(sys.executable, "-c", program)) as send:
        response = await send()

    assert response.headers["x-amzn-errortype"] == "Runtime.InitError"
    output = capfd.readouterr().out
    assert "Extension.Odd: the extension a failed" in output
    (line,) = [line for line in output.splitlines() if line.startswith("FOUND")]
    about = {"functionName": "local", "functionVersion": "$LATEST", "handler": "none"}
    assert json.loads(line.removeprefix("FOUND ")) == [
        [400, "Extension.MissingHeader"],
        [400, "InvalidRequestFormat"],
        [400, "InvalidRequestFormat"],
        [403, "Extension.UnknownExtensionIdentifier"],
        [200, {**about, "accountId": "123456789012"}],
        [404, "Extension.NotFound"],
        [400, "Extension.TooManyExtensions"],
        [202, {"status": "OK"}],
    ]


async def test_whole_process_groups_end(tmp_path: Path) -> None:
    """What the command started ends with it, and counts towards its memory."""
    shell = f"sleep 600 & echo $! > $PID_FILE; exec {' '.join(COMMAND)}"
    file = tmp_path / "pid"
    async with raw_client({"PID_FILE": str(file)}, command=("sh", "-c", shell)) as send:
        assert (await send(parts=["1"])).status_code == 200
        pid = int(file.read_text())
        assert Path(f"/proc/{pid}").exists()
    async with asyncio.timeout(10):
        # A process that has ended may wait for its parent, which is not this one.
        while Path(f"/proc/{pid}/cmdline").exists() and Path(f"/proc/{pid}/cmdline").read_bytes():
            await asyncio.sleep(0.02)


async def test_stop_while_an_environment_starts() -> None:
    """The process that is just starting is not left behind."""
    command = (sys.executable, "-c", "import time; time.sleep(60)")
    environment = Environment(Function("f", {}, command=command), InvokeApi(lambda _: None))
    starting = asyncio.create_task(environment.start())
    await asyncio.sleep(0)
    environment.stop()

    with pytest.raises(InitFailed, match="signal 9"):
        await starting
    await environment.wait()


async def test_pool_that_closes_stops_what_starts() -> None:
    """The request that the environment was for fails; no further environment starts."""
    command = (sys.executable, "-c", "import time; time.sleep(60)")
    pool = Pool(Function("f", {}, command=command), 5)
    waiting = invocation()
    pool.invoke(waiting)
    await asyncio.sleep(0)
    await pool.close()

    last = await waiting.drain()
    assert isinstance(last, Failed)
    assert last.kind == "Runtime.InitError"
