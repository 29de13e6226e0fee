"""Cold start: from a new process to the first streamed byte, our loop and uvicorn in turns.

Both run the built artifact, with its bytecode and its lack of aiohttp, on Python 3.13, in front
of the same provider. What Lambda adds (fetching the code, starting the sandbox) is not in it.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from lambda_asgi.local.extensions import Extensions
from lambda_asgi.local.invocation import Failed, Invocation
from lambda_asgi.local.invoke import InvokeApi
from lambda_asgi.local.runtime_api import RuntimeApi

from .client import Connection
from .subjects import Subject, started

_ROUNDS = 10
_BUDGET_MB = 110


@dataclass(frozen=True, slots=True)
class Artifact:
    """What was built, and the interpreter that runs it."""

    python: str
    path: str
    server: str

    def environ(self, mock: int) -> dict[str, str]:
        """A function's environment, in front of the provider."""
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": self.path,
            "OPENAI_API_KEY": "sk-x",
            "OPENAI_BASE_URL": f"http://127.0.0.1:{mock}/v1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        }


@dataclass(frozen=True, slots=True)
class Start:
    """One cold start: seconds to readiness and to the first byte, and MB at the peak."""

    ready: float
    first_byte: float
    peak: float


def built(folder: Path) -> Artifact:
    """Build for this machine, as ``sam build`` does; uvicorn beside it, compiled likewise."""
    python = _shell("sh", "scripts/find_python.sh", "3.13").strip()
    environ = {"ARCH": {"aarch64": "arm64"}.get(os.uname().machine, "x86_64")}
    for what in ("function", "layer"):
        _shell("sh", "scripts/artifact.sh", what, str(folder / what), **environ)
    install = (".cache/tools/bin/uv", "pip", "install", "-q", "--python", python)
    _shell(*install, "--compile-bytecode", "--target", str(folder / "uvicorn"), "uvicorn")
    path = f"{folder}/function:{folder}/layer/python"
    return Artifact(python, path, f"{path}:{folder}/uvicorn")


def _shell(*command: str, **environ: str) -> str:
    return subprocess.run(
        command, env={**os.environ, **environ}, check=True, capture_output=True, text=True
    ).stdout


def _event() -> bytes:
    event = json.loads(Path("events/function-url.json").read_text())
    event["rawPath"] = event["requestContext"]["http"]["path"] = "/v1/chat/completions"
    event["headers"]["host"] = "127.0.0.1"
    event["requestContext"]["http"]["sourceIp"] = "127.0.0.1"
    messages = [{"role": "user", "content": "Hi"}]
    event["body"] = json.dumps({"model": "openai/one", "stream": True, "messages": messages})
    return json.dumps(event).encode()


@asynccontextmanager
async def _process(*command: str, environ: dict[str, str]) -> AsyncIterator[int]:
    process = await asyncio.create_subprocess_exec(
        *command, env=environ, stdout=asyncio.subprocess.DEVNULL, cwd="/"
    )
    try:
        yield process.pid
    finally:
        process.kill()
        await process.wait()


async def ours(artifact: Artifact, mock: int) -> Start:
    """Our runtime, as the layer's wrapper starts it."""
    arn = "arn:aws:lambda:us-east-1:123456789012:function:bench"
    api = RuntimeApi(arn, InvokeApi(lambda _: None), Extensions("bench", "", arn))
    environ = artifact.environ(mock) | {
        "AWS_LAMBDA_RUNTIME_API": await api.listen(),
        "_HANDLER": "tokenwire.lambda_handler.handler",
    }
    began = time.perf_counter()
    async with _process(artifact.python, "-m", "lambda_asgi", environ=environ) as pid:
        slot = await api.slot()
        ready = time.perf_counter() - began
        deadline_ms = int(time.time() * 1000) + 60_000
        call = Invocation("bench", _event(), "Root=1", deadline_ms=deadline_ms)
        api.give(slot, call)
        await _first_data(call)
        first = time.perf_counter() - began
        peak = _peak_mb(pid)
    api.close()
    return Start(ready, first, peak)


async def _first_data(call: Invocation) -> None:
    while True:
        part = await call.get()
        if isinstance(part, Failed):
            sys.exit(f"the function failed: {part.kind}")
        if isinstance(part, bytes) and b"data: " in part:
            return


async def uvicorn(artifact: Artifact, mock: int) -> Start:
    """The same app, the way it is usually served."""
    port = _free_port()
    environ = artifact.environ(mock) | {"PYTHONPATH": artifact.server}
    command = [artifact.python, "-m", "uvicorn", "--factory", "tokenwire.app:create_app"]
    began = time.perf_counter()
    async with _process(
        *command, "--port", str(port), "--log-level", "warning", environ=environ
    ) as pid:
        while True:
            try:
                connection = await Connection.to(Subject("uvicorn", port))
                break
            except OSError:
                await asyncio.sleep(0.002)
        ready = time.perf_counter() - began
        await connection.first_byte("openai/one")
        first = time.perf_counter() - began
        peak = _peak_mb(pid)
        connection.close()
    return Start(ready, first, peak)


def _peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        found: int = probe.getsockname()[1]
        return found


def imports(artifact: Artifact) -> list[str]:
    """What importing costs: milliseconds of the heaviest, with all that they import."""
    environ = artifact.environ(0)
    code = "import tokenwire.lambda_handler, openai.resources.chat, tokenwire.providers.failures"
    done = subprocess.run(
        [artifact.python, "-X", "importtime", "-c", code],
        env=environ,
        check=True,
        capture_output=True,
        text=True,
    )
    rows = re.findall(r"import time:\s+\d+ \|\s+(\d+) \|( +)(\S+)", done.stderr)
    top = {name: int(micros) / 1000 for micros, indent, name in rows if len(indent) <= 9}
    heavy = sorted(top.items(), key=lambda item: -item[1])[:14]
    return [f"{took:6.0f}  {name}" for name, took in heavy]


async def main() -> None:
    """Measure in turns, print medians and ratios."""
    with tempfile.TemporaryDirectory() as folder, started(only_provider=True) as subjects:
        artifact = built(Path(folder))
        mock = subjects["provider"].port
        found: dict[str, list[Start]] = {"lambda_asgi": [], "uvicorn": []}
        for number in range(_ROUNDS + 1):
            pair = await ours(artifact, mock), await uvicorn(artifact, mock)
            for starts, one in zip(found.values(), pair, strict=True):
                if number:  # the first fills the page cache
                    starts.append(one)
        _report(found)
        print("\nwhat importing costs, ms with all that it imports (the first 14)")
        print("\n".join(imports(artifact)))


def _report(found: dict[str, list[Start]]) -> None:
    print("| | ready, ms | first streamed byte, ms (median, best) | peak, MB |")
    print("| --- | --- | --- | --- |")
    firsts = {}
    for name, starts in found.items():
        firsts[name] = statistics.median(one.first_byte for one in starts) * 1e3
        best = min(one.first_byte for one in starts) * 1e3
        ready = statistics.median(one.ready for one in starts) * 1e3
        peak = max(one.peak for one in starts)
        print(f"| {name} | {ready:.0f} | {firsts[name]:.0f}, {best:.0f} | {peak:.0f} |")
    ratio = firsts["lambda_asgi"] / firsts["uvicorn"]
    peak = max(one.peak for one in found["lambda_asgi"])
    print(f"\nlambda_asgi takes {ratio:.2f} times as long as uvicorn (budget: 1)")
    print(f"its peak is {peak:.0f} MB (budget: {_BUDGET_MB})")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
