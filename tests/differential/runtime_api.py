"""The scripted Runtime API: one scene after the other, and the bytes of each answer."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from tests.differential.recorded import Answer, Recorder
from tests.differential.scenes import INVOCATION_ID, Scene, event
from tests.fakes.listening import listening

_PATIENCE = 8.0
"""Seconds in which a scene has to end."""


class ScriptedApi:
    """Serves the Runtime API, and of the Extensions API what the Web Adapter needs.

    Args:
        signal: A file that is made once the first part of ``/streamed`` has arrived: the program
            waits for it before it sends the second.
    """

    def __init__(self, signal: Path) -> None:
        self.address = ""
        self._signal = signal
        self._scenes: asyncio.Queue[Scene] = asyncio.Queue()
        self._answers: asyncio.Queue[Answer] = asyncio.Queue()
        self._current = Recorder()

    async def play(self, scene: Scene, ended: asyncio.Future[int]) -> Answer:
        """One scene, to its answer, or until it may be called unanswered.

        Args:
            scene: The invocation.
            ended: Done when the process ends.
        """
        self._current = Recorder()
        self._scenes.put_nowait(scene)
        answer = asyncio.create_task(self._answers.get())
        either: set[asyncio.Future[Any]] = {answer, ended}
        patience = min(_PATIENCE, scene.seconds)
        await asyncio.wait(either, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
        if answer.done():
            return answer.result()
        answer.cancel()
        return Answer.of(self._current, "exit" if ended.done() else "open")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        rest = b""
        while True:
            recorder = await self._read(reader, rest)
            if not recorder.complete:
                if "/invocation/" in recorder.start and recorder.start.startswith("POST"):
                    self._answers.put_nowait(Answer.of(recorder, "cut"))
                return
            rest = recorder.rest
            await self._respond(recorder, writer)

    async def _read(self, reader: asyncio.StreamReader, rest: bytes) -> Recorder:
        recorder, data = Recorder(), rest
        while True:
            recorder.feed(data)
            if "/response " in recorder.start:
                self._current = recorder
                if b"one" in recorder.body:
                    self._signal.touch()
            if recorder.complete or not (data := await reader.read(65536)):
                return recorder

    async def _respond(self, recorder: Recorder, writer: asyncio.StreamWriter) -> None:
        if recorder.start.startswith("GET /2018-06-01/runtime/invocation/next"):
            await self._next(writer)
        elif "/extension/register" in recorder.start:
            _send(writer, 200, {"Lambda-Extension-Identifier": "one"}, b'{"functionName":"f"}')
        elif "/extension/event/next" in recorder.start:
            await asyncio.Event().wait()
        else:
            _send(writer, 202, {}, b'{"status":"OK"}')
            if "/invocation/" in recorder.start:
                self._answers.put_nowait(Answer.of(recorder, "complete"))
        await writer.drain()

    async def _next(self, writer: asyncio.StreamWriter) -> None:
        scene = await self._scenes.get()
        headers = {
            "Lambda-Runtime-Aws-Request-Id": f"req{scene.path.replace('/', '-')}",
            "Lambda-Runtime-Deadline-Ms": str(int((time.time() + scene.seconds) * 1000)),
            "Lambda-Runtime-Invoked-Function-Arn": "arn:aws:lambda:us-east-1:1:function:f",
            "Lambda-Runtime-Trace-Id": "Root=1-5759e988-bd862e3fe1be46a994272793;Sampled=0",
            INVOCATION_ID: f"inv-{scene.path}",
        }
        _send(writer, 200, headers, json.dumps(event(scene.path)).encode())


def _send(writer: asyncio.StreamWriter, status: int, headers: dict[str, str], body: bytes) -> None:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {status} OK\r\nContent-Type: application/json\r\n{lines}"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)


@asynccontextmanager
async def scripted_api(signal: Path) -> AsyncIterator[ScriptedApi]:
    """A running one, on a free port."""
    api = ScriptedApi(signal)
    async with listening(api.serve) as api.address:
        yield api
