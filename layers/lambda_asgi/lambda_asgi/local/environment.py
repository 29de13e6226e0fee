"""An execution environment: one child process, its Runtime API, its limits."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from .call import Call
from .invoke import InvokeApi
from .report import Report, say
from .runtime_api import RuntimeApi, Slot

T = TypeVar("T")

INIT_SECONDS = 10.0
"""Lambda gives the init phase so long, then tries once more within the function's timeout."""

WATCH = 0.1
"""Seconds between two looks at a process's memory."""


@dataclass(frozen=True, slots=True)
class Function:
    """What is run.

    Args:
        handler: ``module:attribute``.
        environ: The variables that its process gets.
        timeout: Seconds for an invocation.
        memory_mb: The limit, in MB.
        concurrency: Invocations at a time in one environment.
    """

    handler: str
    environ: Mapping[str, str]
    timeout: float = 30.0
    memory_mb: int = 1024
    concurrency: int = 1
    arn: str = "arn:aws:lambda:us-east-1:123456789012:function:local"


class Environment:
    """One process, started by the first invocation.

    Each invocation is one ``reserve`` and, then, one ``invoke``.
    """

    def __init__(self, function: Function, invoke_api: InvokeApi) -> None:
        self._function = function
        self._api = RuntimeApi(function.arn, invoke_api)
        self._process: asyncio.subprocess.Process | None = None
        self._exited: asyncio.Task[int] | None = None
        self._starting: asyncio.Task[None] | None = None
        self._began = time.monotonic()
        self._init_ms: float | None = None
        self._peak_mb: int | None = None
        self._why = ""
        self.busy = 0
        self.retired = False

    def reserve(self) -> None:
        """Count on one more invocation."""
        self.busy += 1

    async def invoke(self, call: Call) -> None:
        """Run one invocation to its end, whatever that is."""
        self._starting = self._starting or asyncio.create_task(self._start())
        await self._starting
        try:
            slot = await self._before_exit(self._api.slot(), INIT_SECONDS + self._function.timeout)
            if slot is None:
                self._explain_init(call)
            else:
                await self._run(slot, call)
        finally:
            self.busy -= 1
            if self.retired and not self.busy:
                self.kill("replaced")

    def retire(self) -> None:
        """Take no more invocations; go once the last is done."""
        self.retired = True
        if not self.busy:
            self.kill("replaced")

    def kill(self, why: str) -> None:
        """Stop the process at once."""
        self.retired = True
        self._why = self._why or why
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def wait(self) -> None:
        """Until the process is gone."""
        if self._starting is not None:
            await self._starting
        if self._exited is not None:
            await self._exited

    async def _start(self) -> None:
        address = await self._api.listen()
        self._process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "lambda_asgi",
            env=child_environ(self._function, address),
            start_new_session=True,
        )
        self._watching = asyncio.create_task(self._watch_memory())
        self._exited = asyncio.create_task(self._process.wait())
        self._exited.add_done_callback(lambda _: self._gone())

    async def _run(self, slot: Slot, call: Call) -> None:
        init_ms = self._age_ms() if self._init_ms is None else None
        self._init_ms = self._init_ms or init_ms
        report = Report(call.request_id, self._function.memory_mb, init_ms)
        report.start()
        call.deadline_ms = int((time.time() + self._function.timeout) * 1000)
        self._api.give(slot, call)
        if not await self._before_exit(call.done.wait(), self._function.timeout):
            self._explain(call)
        self._look()
        report.end(self._peak_mb, call.failure.kind if call.failure else None)

    async def _before_exit(self, event: Coroutine[Any, Any, T], seconds: float) -> T | None:
        """What comes before the process is gone and before the time is up; else None."""
        task = asyncio.create_task(event)
        either = {task} if self._exited is None else {task, self._exited}
        try:
            await asyncio.wait(either, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else None
        finally:
            task.cancel()

    def _explain(self, call: Call) -> None:
        if self._exited is not None and not self._exited.done() and not self._why:
            seconds = self._function.timeout
            say(f"{_now()} {call.request_id} Task timed out after {seconds:.2f} seconds")
            self.kill("timed out")
            call.fail("Sandbox.Timedout", f"Task timed out after {seconds:.2f} seconds")
        elif self._why == "out of memory":
            call.fail("Runtime.OutOfMemory", "the process used more than its memory")
        else:
            message = self._exit_text()
            say(f"{_now()} {call.request_id} {message}")
            call.fail("Runtime.ExitError", message)

    def _explain_init(self, call: Call) -> None:
        told = self._api.init_error
        if told is None and self._exited is not None and not self._exited.done():
            told = "Sandbox.Timedout: the init phase took too long"
        message = told or self._exit_text()
        say(f"INIT_REPORT Init Duration: {self._age_ms():.2f} ms\tPhase: init\tStatus: error")
        say(f"{_now()} {call.request_id} the function could not start: {message}")
        self.kill("init failed")
        call.fail("Runtime.InitError", message)

    def _exit_text(self) -> str:
        code = self._process.returncode if self._process is not None else None
        what = f"signal {-code}" if code is not None and code < 0 else f"exit status {code}"
        return f"Runtime exited with error: {what}"

    def _gone(self) -> None:
        self.retired = True
        self._watching.cancel()
        self._api.close()

    async def _watch_memory(self) -> None:
        while True:
            await asyncio.sleep(WATCH)
            used = self._look()
            if used is not None and used > self._function.memory_mb:
                limit = self._function.memory_mb
                say(f"{_now()} Runtime.OutOfMemory: {used} MB used, {limit} MB allowed")
                self.kill("out of memory")

    def _look(self) -> int | None:
        """The memory that the process holds, in MB; None where the system does not say."""
        used = resident_mb(self._process.pid) if self._process is not None else None
        if used is not None:
            self._peak_mb = max(self._peak_mb or 0, used)
        return used

    def _age_ms(self) -> float:
        return (time.monotonic() - self._began) * 1000


def child_environ(function: Function, address: str) -> dict[str, str]:
    """The variables that Lambda sets, over those of the function."""
    many = function.concurrency > 1
    path = [str(Path(__file__).parents[2]), function.environ.get("PYTHONPATH", "")]
    reserved = {
        "_HANDLER": function.handler,
        "AWS_LAMBDA_RUNTIME_API": address,
        "AWS_LAMBDA_FUNCTION_NAME": "local",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "lambda-managed-instances" if many else "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/local",
        "AWS_LAMBDA_LOG_STREAM_NAME": "local",
        "LAMBDA_TASK_ROOT": str(Path.cwd()),
        "PYTHONPATH": ":".join(place for place in path if place),
        "PYTHONUNBUFFERED": "1",
    }
    if many:
        reserved["AWS_LAMBDA_MAX_CONCURRENCY"] = str(function.concurrency)
    region = function.environ.get("AWS_REGION", "us-east-1")
    defaults = {
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "LAMBDA_ASGI_TRACEBACKS": "1",
        # Where boto3 finds the function, should it want to invoke itself.
        "AWS_ENDPOINT_URL_LAMBDA": f"http://{address}",
    }
    return defaults | {
        **function.environ,
        **reserved,
    }


def resident_mb(pid: int) -> int | None:
    """Resident memory of a process in MB, from /proc; None where there is no such thing."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    lines = (line.split() for line in status.splitlines())
    return next((int(line[1]) // 1024 for line in lines if line[:1] == ["VmRSS:"]), None)


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
