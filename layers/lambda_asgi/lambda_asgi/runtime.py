"""The runtime loop: start the app, take invocations until it is stopped, shut the app down."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine, MutableMapping
from typing import Any

from . import loading, logs, restore, wire
from .connection import Connection
from .context import Context, Function
from .handler import Handler
from .http1 import Response
from .invocation import Invocation, RuntimeApiError
from .lifespan import LifespanError
from .limit import Limits
from .loading import MalformedName, NoSuchHandler

NEXT = f"{wire.VERSION}/runtime/invocation/next"
INIT_ERROR = f"{wire.VERSION}/runtime/init/error"
RESTORE_NEXT = f"{wire.VERSION}/runtime/restore/next"
RESTORE_ERROR = f"{wire.VERSION}/runtime/restore/error"

SHUTDOWN = 1.8
"""Seconds from SIGTERM to process exit.

Lambda sends SIGTERM only to environments with a registered extension. With an external extension it
kills them after 2 s.
"""

DRAIN = 1.0
"""Seconds, within ``SHUTDOWN``, given to running invocations."""

DELIVERY = 0.2
"""Further seconds for the Runtime API to accept the last bytes."""

TRACE_ID = "_X_AMZN_TRACE_ID"
"""Where the X-Ray SDK and botocore look for an invocation's trace header."""

PAUSES = (0.0, 0.05, 0.2, 0.5, 1.0)
"""Seconds before each attempt of ``/next``; the first is immediate.

After the last failure ``run`` returns 1.
"""

_PLAIN = (LifespanError, MalformedName, NoSuchHandler, ImportError, SyntaxError)
"""Failures to start whose text has the cause and quotes no value."""


class Runtime:
    """One execution environment.

    Args:
        environ: The process's environment: ``AWS_LAMBDA_RUNTIME_API`` and its like. While it
            takes one invocation at a time, each one's trace header is written into it.
        hooks: The app's SnapStart hooks.
        on_ready: Called once, when the app has started and before the first invocation.
    """

    def __init__(
        self,
        environ: MutableMapping[str, str],
        hooks: restore.Registry | None = None,
        on_ready: Callable[[], None] = lambda: None,
    ) -> None:
        self._environ = environ
        self._address = environ["AWS_LAMBDA_RUNTIME_API"]
        self._concurrency = max(1, int(environ.get("AWS_LAMBDA_MAX_CONCURRENCY", "1")))
        self._uses_snapstart = environ.get("AWS_LAMBDA_INITIALIZATION_TYPE") == "snap-start"
        self._log_tracebacks = environ.get("LAMBDA_ASGI_TRACEBACKS") == "1"
        self._hooks = hooks or restore.registry()
        self._on_ready = on_ready
        self._function = Function.of(environ)
        self._is_cold = True
        self._limits = Limits()
        self._stop_polling = asyncio.Event()
        self._sigterm = asyncio.Event()
        self._stopped_at: float | None = None

    def stop(self) -> None:
        """Take no more invocations, and end those in flight within ``DRAIN``; ``run`` returns."""
        if not self._sigterm.is_set():
            self._stopped_at = asyncio.get_running_loop().time()
            self._sigterm.set()
            self._stop_polling.set()
            self._limits.shorten(DRAIN)

    async def run(self, handler: Handler) -> int:
        """Serve until stopped.

        Returns:
            The process's exit code: 0 after ``stop``, 1 after a failure.
        """
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self.stop)
        try:
            await handler.lifespan.startup()
        except Exception as error:
            return await self.report_init_error(error)
        self._on_ready()
        if self._uses_snapstart and not await self._restored():
            return 1
        try:
            await self._serve(handler)
        except (OSError, RuntimeApiError) as error:
            logs.logger.error("the Runtime API failed: %s", error)
            return 1
        finally:
            await handler.lifespan.shutdown(self._seconds_left())
        return 0

    async def report_init_error(self, error: Exception) -> int:
        """Report that this environment cannot start; return the process's exit code."""
        await self._report(INIT_ERROR, loading.failure_type(error), error)
        return 1

    async def _restored(self) -> bool:
        """Run the before-snapshot hooks, wait for the restore, run the after-restore hooks.

        Returns:
            False if one failed and was reported.
        """
        try:
            await restore.before_snapshot(self._hooks)
            await self._freeze()
        except Exception as error:
            await self._report(INIT_ERROR, "Runtime.BeforeSnapshotError", error)
            return False
        try:
            await restore.after_restore(self._hooks)
        except Exception as error:
            await self._report(RESTORE_ERROR, "Runtime.AfterRestoreError", error)
            return False
        return True

    async def _freeze(self) -> None:
        """Wait for the restore.

        Restored environments resume here; their sockets are no longer connected.
        """
        connection = Connection(self._address)
        response = await connection.request("GET", RESTORE_NEXT)
        connection.close()
        if response.status != 200:
            raise RuntimeApiError(f"/restore/next answered {response.status}")

    def _seconds_left(self) -> float:
        """Seconds left for lifespan shutdown."""
        if self._stopped_at is None:
            return SHUTDOWN
        return SHUTDOWN - (asyncio.get_running_loop().time() - self._stopped_at)

    async def _serve(self, handler: Handler) -> None:
        """Poll until stopped, or until a poller finds that it cannot go on.

        Runs ``AWS_LAMBDA_MAX_CONCURRENCY`` pollers; each handles one invocation at a time. When
        one fails, the others take no more invocations, and finish those that are running.
        """
        pollers = [_task(self._poll(handler)) for _ in range(self._concurrency)]
        stopping = _task(self._sigterm.wait())
        try:
            await asyncio.wait({*pollers, stopping}, return_when=asyncio.FIRST_COMPLETED)
            self._stop_polling.set()
            await self._drained(pollers, stopping)
        finally:
            for task in (*pollers, stopping):
                task.cancel()
            await asyncio.gather(*pollers, stopping, return_exceptions=True)
        for poller in pollers:
            if not poller.cancelled():
                poller.result()

    async def _drained(
        self, pollers: list[asyncio.Task[None]], stopping: asyncio.Task[Any]
    ) -> None:
        """Wait for running invocations.

        Up to their deadlines; after SIGTERM, at most ``DRAIN + DELIVERY`` seconds.
        """
        ended = _task(_all(pollers))
        await asyncio.wait({ended, stopping}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({ended}, timeout=DRAIN + DELIVERY)
        ended.cancel()

    async def _poll(self, handler: Handler) -> None:
        connection = Connection(self._address)
        try:
            while (response := await self._next_or_stop(connection)) is not None:
                is_cold, self._is_cold = self._is_cold, False
                context = Context.of(response.head, self._function, cold_start=is_cold)
                logs.request_id.set(context.aws_request_id)
                logs.tenant_id.set(context.tenant_id or "")
                self._set_trace_id(context.trace_id if self._concurrency == 1 else None)
                invocation = Invocation(
                    handler, connection, context, self._log_tracebacks, self._limits
                )
                await invocation.run(response.body)
                logs.request_id.set("")
                logs.tenant_id.set("")
        finally:
            connection.close()

    async def _next_or_stop(self, connection: Connection) -> Response | None:
        """The next invocation; None once polling has stopped."""
        if self._stop_polling.is_set():
            return None
        polling, stopping = _task(self._next(connection)), _task(self._stop_polling.wait())
        try:
            await asyncio.wait({polling, stopping}, return_when=asyncio.FIRST_COMPLETED)
            return polling.result() if polling.done() else None
        finally:
            polling.cancel()
            stopping.cancel()

    def _set_trace_id(self, trace_id: str | None) -> None:
        """Show one invocation's trace header to the process; a variable cannot show several."""
        if trace_id is None:
            self._environ.pop(TRACE_ID, None)
        else:
            self._environ[TRACE_ID] = trace_id

    async def _next(self, connection: Connection) -> Response:
        """The next invocation. No time limit: the process may be frozen while it waits."""
        for pause in PAUSES:
            await asyncio.sleep(pause)
            try:
                response = await connection.request("GET", NEXT)
            except OSError:
                connection.close()
                continue
            if response.status != 200:
                raise RuntimeApiError(f"/next answered {response.status}")
            return response
        raise ConnectionError("the Runtime API cannot be reached")

    async def _report(self, target: str, kind: str, error: Exception) -> None:
        text = f"{type(error).__name__}: {error}" if isinstance(error, _PLAIN) else ""
        logs.failed(f"{kind} {text}".strip(), error, in_full=self._log_tracebacks)
        body = wire.error_body(kind, error, text)
        connection = Connection(self._address)
        try:
            await connection.request("POST", target, wire.error_headers(kind), body)
        except OSError:
            logs.logger.warning("the failure could not be reported to the Runtime API")
        finally:
            connection.close()


async def _all(tasks: list[asyncio.Task[None]]) -> None:
    await asyncio.wait(tasks)


def _task(work: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    return asyncio.create_task(work)
