"""An execution environment: one command, its Runtime API, its limits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from typing import Any, TypeVar

from .child import Child
from .extensions import Extensions
from .function import Function
from .invocation import Failed, Invocation
from .invoke import InvokeApi
from .report import Log, Report, now
from .runtime_api import RuntimeApi, error_text

T = TypeVar("T")

WATCH = 0.1
"""Seconds between two looks at the memory of an environment's processes."""

SHUTDOWN_SECONDS = 2.0
"""Seconds that Lambda gives an environment with extensions to shut down."""


class InitFailed(Exception):
    """The init phase failed; ``failure`` is the error."""

    def __init__(self, failure: Failed) -> None:
        super().__init__(failure.message)
        self.failure = failure


class Environment:
    """One execution environment. ``start`` it once, then ``invoke`` as often as needed.

    Args:
        function: What it runs.
        invoke_api: Where the function finds itself.
    """

    def __init__(self, function: Function, invoke_api: InvokeApi) -> None:
        self._function = function
        self._invoke_api = invoke_api
        self._log = Log()
        self._child: Child | None = None
        self._began = time.monotonic()
        self._init_ms: float | None = None
        self._spent = 0.0
        self._peak_mb: int | None = None
        self._reason = ""
        self._stopping: asyncio.Task[None] | None = None
        self._stopped = False
        self.retired = False

    async def start(self) -> None:
        """Run the init phase; a second time, within an invocation's time, if it took too long.

        Raises:
            InitFailed: The function cannot be started.
        """
        if not await self._init(self._function.init_seconds, "init"):
            self._began = time.monotonic()
            if not await self._init(self._function.timeout, "invoke"):
                text = f"Task timed out after {self._function.timeout:.2f} seconds"
                self._log.line(f"{now()} {text}")
                raise InitFailed(Failed("Sandbox.Timedout", text))
            self._spent = time.monotonic() - self._began
        self._init_ms = self._age_ms()

    async def invoke(self, invocation: Invocation) -> None:
        """Run one invocation until it ends, in whatever way."""
        seconds = self._function.timeout - self._spent
        init_ms, self._init_ms, self._spent = self._init_ms, None, 0.0
        self._log.restart()
        report = Report(self._log, invocation.request_id, self._function.memory_mb, init_ms)
        report.start()
        slot = await self._before_exit(self._api.slot(), seconds)
        if slot is not None:
            invocation.deadline_ms = int((time.time() + seconds) * 1000)
            self._api.give(slot, invocation)
            await self._before_exit(invocation.done.wait(), seconds)
        if self._child is not None:
            self._measure(self._child)
            await self._child.flush()
        if not invocation.done.is_set():
            self._explain(invocation)
        report.end(self._peak_mb, invocation.failure.kind if invocation.failure else None)
        invocation.log = self._log.tail

    def stop(self, reason: str = "SPINDOWN") -> None:
        """Shut down: at once, or after extensions had their time. ``wait`` for the end."""
        self.retired = self._stopped = True
        if self._stopping is None and self._child is not None:
            self._stopping = asyncio.create_task(self._shut_down(self._child, reason))

    async def wait(self) -> None:
        """Wait until a stopped environment's processes have ended."""
        if self._stopping is not None:
            await self._stopping

    async def _shut_down(self, child: Child, reason: str) -> None:
        # Lambda sends SIGTERM only where an extension is registered.
        if self._extensions:
            deadline_ms = int((time.time() + SHUTDOWN_SECONDS) * 1000)
            self._extensions.shut_down(reason, deadline_ms)
            await child.stop(SHUTDOWN_SECONDS)
        child.kill()
        await child.exited
        self._api.close()
        await child.flush()

    async def _init(self, seconds: float, phase: str) -> bool:
        """Start the command; False if it was not ready in time.

        Raises:
            InitFailed: It failed.
        """
        self._extensions, self._api = self._serving()
        self._child = child = await self._start_child(await self._api.listen())
        if await self._before_exit(_then_true(self._api.ready()), seconds):
            return True
        if not child.is_running:
            await child.flush()
            self._report_init(phase, "error")
            raise InitFailed(self._init_failure(child))
        self._report_init(phase, "timeout")
        self._child = None
        child.kill()
        await child.exited
        return False

    def _serving(self) -> tuple[Extensions, RuntimeApi]:
        function = self._function
        extensions = Extensions(function.name, function.handler, function.arn)
        return extensions, RuntimeApi(
            function.arn,
            self._invoke_api,
            extensions,
            max_streamed=function.max_streamed,
            limits_bandwidth=function.limits_bandwidth,
        )

    async def _start_child(self, address: str) -> Child:
        function = self._function
        environ = function.process_environ(address)
        try:
            child = await Child.start(function.argv, environ, function.directory, self._log.write)
        except OSError as error:
            self._api.close()
            text = f"cannot start {function.argv[0]}: {error.strerror}"
            self._log.line(f"{now()} {text}")
            raise InitFailed(Failed("Runtime.InvalidEntrypoint", text)) from None
        if self._stopped:
            child.kill()
        watching = asyncio.create_task(self._watch_memory(child))
        api = self._api
        child.exited.add_done_callback(lambda _: self._exited(child, watching, api))
        return child

    def _exited(self, child: Child, watching: asyncio.Task[None], api: RuntimeApi) -> None:
        watching.cancel()
        if self._stopping is None:
            api.close()
            child.kill()
        self.retired = self.retired or child is self._child

    async def _before_exit(self, event: Coroutine[Any, Any, T], seconds: float) -> T | None:
        """The event's result; None if the process exits or the time is up before it."""
        task = asyncio.create_task(event)
        either: set[asyncio.Task[Any]] = {task}
        if self._child is not None:
            either.add(self._child.exited)
        try:
            await asyncio.wait(either, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            return task.result() if task.done() else None
        finally:
            task.cancel()

    def _explain(self, invocation: Invocation) -> None:
        """End an invocation that its runtime did not end."""
        if self._reason == "out of memory":
            invocation.fail("Runtime.OutOfMemory", "the processes used more than their memory")
        elif self._child is None or not self._child.is_running or self._reason:
            text = self._child.exit_text if self._child is not None else "the runtime is gone"
            self._log.line(f"{now()} {invocation.request_id} {text}")
            invocation.fail(
                "Runtime.ExitError", f"RequestId: {invocation.request_id} Error: {text}"
            )
        else:
            text = f"Task timed out after {self._function.timeout:.2f} seconds"
            self._log.line(f"{now()} {invocation.request_id} {text}")
            self.stop("TIMEOUT")
            invocation.fail("Sandbox.Timedout", f"RequestId: {invocation.request_id} Error: {text}")

    def _report_init(self, phase: str, status: str) -> None:
        self._log.line(
            f"INIT_REPORT Init Duration: {self._age_ms():.2f} ms\tPhase: {phase}\tStatus: {status}"
        )

    def _init_failure(self, child: Child) -> Failed:
        body = self._api.init_error
        text = self._extensions.error or (child.exit_text if body is None else error_text(body))
        self._log.line(f"{now()} the function could not start: {text}")
        return Failed("Runtime.InitError", text, body or b"")

    async def _watch_memory(self, child: Child) -> None:
        limit = self._function.memory_mb
        while True:
            await asyncio.sleep(WATCH)
            used = self._measure(child)
            if used is not None and used > limit:
                self._log.line(f"{now()} Runtime.OutOfMemory: {used} MB used, {limit} MB allowed")
                self._reason, self.retired = "out of memory", True
                child.kill()

    def _measure(self, child: Child) -> int | None:
        used = child.memory_mb()
        if used is not None:
            self._peak_mb = max(self._peak_mb or 0, used)
        return used

    def _age_ms(self) -> float:
        return (time.monotonic() - self._began) * 1000


async def _then_true(event: Coroutine[Any, Any, None]) -> bool:
    await event
    return True
