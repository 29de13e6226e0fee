"""Several processes that serve one port: started, watched, replaced and stopped together.

uvicorn's supervisor starts each worker as a new interpreter, which imports everything again and
reads the settings again; it has no place for what is to happen when a worker has died or ends.
Here workers are forked from a process that has imported the app and runs no event loop and no
thread, so that they share its memory, its settings and its sockets.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from multiprocessing import connection, get_context
from multiprocessing.context import ForkProcess
from socket import socket
from time import monotonic

from uvicorn.config import STARTUP_FAILURE

from .listeners import Listeners

_STOP = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_PAUSE = 1.0
"""Seconds between two starts of the same worker, at least."""
_END_SECONDS = 25.0
"""Orchestrators kill after 30 seconds."""

Run = Callable[[int, Sequence[socket]], None]
_log = logging.getLogger("tokenwire.workers")


class Workers:
    """The processes, numbered from 0. A process that takes the place of another has its number.

    Args:
        listeners: The listening sockets of each worker.
        run: Serves on these sockets, in a worker, until the process gets SIGTERM; exits with
            ``STARTUP_FAILURE`` if it cannot start.
        on_death: Called in this process with the number of a worker that has died.
        end_seconds: Seconds that the workers get to end their streams.
    """

    def __init__(
        self,
        listeners: Listeners,
        run: Run,
        on_death: Callable[[int], None] = lambda _: None,
        end_seconds: float = _END_SECONDS,
    ) -> None:
        self._listeners = listeners
        self._run = run
        self._on_death = on_death
        self._end_seconds = end_seconds
        self._workers: dict[int, ForkProcess] = {}
        self._started: dict[int, float] = {}
        self._stopping = False
        self._failed = False
        self._alive = os.pipe()  # the workers see when this process has ended
        self._signalled = os.pipe()

    def serve(self) -> int:
        """Run the workers until this process gets SIGTERM, SIGINT or SIGHUP.

        Returns:
            The exit status: 0, or 1 if a worker could not start.
        """
        with self._signals():
            while not self._stopping:
                pause = self._start_missing()
                sentinels = [worker.sentinel for worker in self._workers.values()]
                connection.wait([*sentinels, self._signalled[0]], pause)
                self._remove_dead()
            self._listeners.close()
            self._stop()
        return int(self._failed)

    @contextmanager
    def _signals(self) -> Iterator[None]:
        os.set_blocking(self._signalled[1], False)
        before = {number: signal.signal(number, self._signal) for number in _STOP}
        wakeup = signal.set_wakeup_fd(self._signalled[1], warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(wakeup)
            for number, handler in before.items():
                signal.signal(number, handler)
            for end in (*self._alive, *self._signalled):
                os.close(end)

    def _signal(self, _number: int, _frame: object) -> None:
        self._stopping = True

    def _start_missing(self) -> float | None:
        """Start the workers that are due; return the seconds until the next one is, if any."""
        due: list[float] = []
        for number in range(len(self._listeners)):
            if number in self._workers:
                continue
            left = self._started.get(number, -_PAUSE) + _PAUSE - monotonic()
            if left > 0:
                due.append(left)
            else:
                self._start(number)
        return min(due, default=None)

    def _start(self, number: int) -> None:
        self._started[number] = monotonic()
        worker = get_context("fork").Process(target=self._work, args=(number,))
        # A signal that arrives before the worker has its own handlers waits for them.
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOP)
        try:
            worker.start()
        finally:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP)
        self._workers[number] = worker

    def _work(self, number: int) -> None:
        """Be a worker: the first code of the new process."""
        signal.set_wakeup_fd(-1)
        for each in _STOP:
            signal.signal(each, _leave)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _STOP)
        for end in (self._alive[1], *self._signalled):
            os.close(end)
        threading.Thread(target=_end_after, args=(self._alive[0],), daemon=True).start()
        try:
            self._run(number, self._listeners.only(number))
        finally:
            for each in _STOP:  # it is leaving already
                signal.signal(each, signal.SIG_IGN)

    def _remove_dead(self) -> None:
        for number, worker in list(self._workers.items()):
            if worker.exitcode is None:
                continue
            del self._workers[number]
            self._on_death(number)
            if not self._stopping:
                self._handle_exit(number, worker)

    def _handle_exit(self, number: int, worker: ForkProcess) -> None:
        if worker.exitcode == STARTUP_FAILURE:
            self._failed = self._stopping = True
            _log.error("worker %d could not start; the server stops", number)
        else:
            _log.warning("worker %d has died (%s); it is replaced", number, worker.exitcode)

    def _stop(self) -> None:
        """End all workers: with SIGTERM, and those that are left after ``end_seconds`` at once."""
        for worker in self._workers.values():
            worker.terminate()
        until = monotonic() + self._end_seconds
        while self._workers and (left := until - monotonic()) > 0:
            connection.wait([worker.sentinel for worker in self._workers.values()], left)
            self._remove_dead()
        for worker in self._workers.values():
            worker.kill()
            worker.join()


def _leave(_number: int, _frame: object) -> None:
    sys.exit(0)


def _end_after(alive: int) -> None:
    """End this process, as by SIGTERM, when the one that started it has ended."""
    with suppress(OSError):
        os.read(alive, 1)
    os.kill(os.getpid(), signal.SIGTERM)
