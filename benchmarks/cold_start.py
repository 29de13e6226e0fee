"""Cold start: from a new process to the first byte of its first answer, subjects in turns.

All run the built artifact, with its bytecode, on Python 3.13 and one core, with the same scripted
Runtime API and provider. The time that Lambda adds (fetching the code, starting the sandbox) is
not included.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from .processes import free_port
from .scripted_api import one_invocation
from .subjects import started

_ROUNDS = int(os.environ.get("ROUNDS", "9"))
_BUDGET_MB = 110
_BUDGET_RATIO = 0.6
_HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Candidate:
    """A function in front of the Runtime API.

    Args:
        title: Its line.
        command: What Lambda starts.
        environ: Beside Lambda's own variables.
        beside: The web server that runs beside an adapter.
        awaited: In the first part of the answer.
    """

    title: str
    command: Sequence[str]
    environ: Mapping[str, str]
    beside: Sequence[str] = ()
    awaited: bytes = b"data: "


@dataclass(slots=True)
class Starts:
    """Milliseconds to readiness and to the first byte, CPU's until then, and MB at the peak."""

    ready: list[float] = field(default_factory=list)
    first_byte: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    peak: list[float] = field(default_factory=list)


def built(folder: Path) -> str:
    """Build for this machine, as ``sam build`` does; what others need beside it, compiled too.

    Returns:
        The interpreter that runs it.
    """
    python = _shell("sh", "scripts/find_python.sh", "3.13").strip()
    environ = {"ARCH": {"aarch64": "arm64"}.get(os.uname().machine, "x86_64")}
    for what in ("function", "layer"):
        _shell("sh", "scripts/artifact.sh", what, str(folder / what), **environ)
    for package in ("uvicorn", "awslambdaric"):
        install = (".cache/tools/bin/uv", "pip", "install", "-q", "--python", python)
        _shell(*install, "--compile-bytecode", "--target", str(folder / package), package)
    target = folder / "start"
    shutil.copytree(_HERE / "start", target)
    (target / "stock.py").write_text("from tokenwire.app import from_environment\n" + _STOCK)
    _shell(python, "-m", "compileall", "-q", str(target))
    return python


_STOCK = "from mangum import Mangum\n\nhandler = Mangum(from_environment())\n"


def _shell(*command: str, **environ: str) -> str:
    return subprocess.run(
        command, env={**os.environ, **environ}, check=True, capture_output=True, text=True
    ).stdout


def candidates(python: str, folder: Path, mock: int) -> list[Candidate]:
    """Everything that is measured, in the order of the table."""
    key = {"OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": f"http://127.0.0.1:{mock}/v1"}
    ours = [python, "-m", "lambda_asgi"]
    tokenwire = {"_HANDLER": "tokenwire.lambda_handler.handler"}
    found = [Candidate("tokenwire, lambda_asgi", ours, key | tokenwire)]
    adapter = _adapter()
    port = str(free_port())
    serve = [
        "-m",
        "uvicorn",
        "--factory",
        "tokenwire.app:from_environment",
        "--log-level",
        "warning",
    ]
    web = {
        "AWS_LWA_PORT": port,
        "AWS_LWA_INVOKE_MODE": "response_stream",
        "AWS_LWA_READINESS_CHECK_PATH": "/healthz",
    }
    uvicorn = [python, *serve, "--port", port]
    if adapter:
        found.append(Candidate("tokenwire, Web Adapter + uvicorn", [adapter], key | web, uvicorn))
        # The app of the function, which leaves FastAPI out until a request needs it.
        app = [*uvicorn, "tokenwire.lambda_handler:app"]
        app.remove("--factory")
        app.remove("tokenwire.app:from_environment")
        title = "tokenwire's app for Lambda, Web Adapter + uvicorn"
        found.append(Candidate(title, [adapter], key | web, app))
        server = key | web | {"TOKENWIRE_OPENAI_SDK": "true"}
        title = "tokenwire with OpenAI's SDK, Web Adapter + uvicorn"
        found.append(Candidate(title, [adapter], server, uvicorn))
    ric = [python, "-m", "awslambdaric", "stock.handler"]
    found.append(Candidate("tokenwire, awslambdaric + Mangum (buffered)", ric, key))
    found.append(Candidate("tokenwire without a provider, lambda_asgi", ours, tokenwire))
    if adapter:
        title = "tokenwire without a provider, Web Adapter + uvicorn"
        found.append(Candidate(title, [adapter], web, uvicorn))
    for title, name in (("FastAPI", "fastapi"), ("Starlette", "starlette"), ("ASGI", "asgi")):
        handler = {"_HANDLER": f"{name}_app.handler"}
        found.append(Candidate(f"{title}, one route, lambda_asgi", ours, handler))
    found.append(Candidate("a loop of 25 lines", [python, str(folder / "start/loop.py")], {}))
    return found


def _adapter() -> str | None:
    done = subprocess.run(
        ["sh", "scripts/web_adapter.sh"], check=False, capture_output=True, text=True
    )
    if done.returncode:
        print(f"skipped: the Web Adapter: {done.stderr.strip()}")
        return None
    return done.stdout.strip()


def _event(model: str) -> bytes:
    event = json.loads(Path("events/function-url.json").read_text())
    event["rawPath"] = event["requestContext"]["http"]["path"] = "/v1/chat/completions"
    event["headers"] = {"host": "127.0.0.1", "content-type": "application/json"}
    event["requestContext"]["http"]["sourceIp"] = "127.0.0.1"
    messages = [{"role": "user", "content": "Hi"}]
    event["body"] = json.dumps({"model": model, "stream": True, "messages": messages})
    return json.dumps(event).encode()


async def start(candidate: Candidate, folder: Path, found: Starts) -> None:
    """One cold start."""
    model = "openai/one" if "OPENAI_API_KEY" in candidate.environ else "demo/markdown"
    parts = ("function", "layer/python", "start", "uvicorn", "awslambdaric")
    async with one_invocation(_event(model), candidate.awaited) as api:
        environ = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": ":".join(str(folder / part) for part in parts),
            "AWS_LAMBDA_RUNTIME_API": api.address,
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_FUNCTION_NAME": "bench",
            "AWS_LAMBDA_FUNCTION_VERSION": "1",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
            "TOKENWIRE_AUTH": "none",
            "TOKENWIRE_DEMO": "true",
            "TOKENWIRE_DEMO_PACE": "100000",
            **candidate.environ,
        }
        began = time.perf_counter()
        beside = _process(candidate.beside, environ) if candidate.beside else nullcontext(0)
        async with beside as other, _process(candidate.command, environ) as pid:
            first = await asyncio.wait_for(asyncio.shield(api.first_byte), 60)
            found.ready.append((api.ready - began) * 1e3)
            found.first_byte.append((first - began) * 1e3)
            pids = [pid, *([other] if other else [])]
            found.cpu.append(sum(map(_cpu_ms, pids)))
            found.peak.append(sum(map(_peak_mb, pids)))


@asynccontextmanager
async def _process(command: Sequence[str], environ: Mapping[str, str]) -> AsyncIterator[int]:
    # One core, and not the first: that is where most interrupts go.
    core = str(max(os.sched_getaffinity(0)))
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        "taskset", "-c", core, *command, env=environ, stdout=quiet, stderr=quiet, cwd="/"
    )
    try:
        yield process.pid
    finally:
        process.kill()
        await process.wait()


def _peak_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


def _cpu_ms(pid: int) -> float:
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e6


async def main() -> None:
    """Measure in turns, print medians and ratios."""
    with tempfile.TemporaryDirectory() as name, started(only_provider=True) as subjects:
        folder = Path(name)
        python = built(folder)
        measured = candidates(python, folder, subjects["provider"].port)
        found = {candidate.title: Starts() for candidate in measured}
        for number in range(_ROUNDS + 1):
            for candidate in measured:
                # The first start fills the page cache.
                await start(candidate, folder, found[candidate.title] if number else Starts())
        _report(found)


def _report(found: Mapping[str, Starts]) -> None:
    print(f"load of the machine: {os.getloadavg()[0]:.1f}\n")
    print("| | CPU, ms: median | least | ready, ms | first byte, ms: median | best | peak, MB |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for title, starts in found.items():
        ready, first = statistics.median(starts.ready), statistics.median(starts.first_byte)
        cpu, least = statistics.median(starts.cpu), min(starts.cpu)
        times = f"{ready:.0f} | {first:.0f} | {min(starts.first_byte):.0f}"
        print(f"| {title} | {cpu:.0f} | {least:.0f} | {times} | {max(starts.peak):.0f} |")
    ours = found["tokenwire, lambda_asgi"]
    print(f"\nits peak is {max(ours.peak):.0f} MB (budget: {_BUDGET_MB})")
    if (theirs := found.get("tokenwire, Web Adapter + uvicorn")) is not None:
        ratio = statistics.median(ours.first_byte) / statistics.median(theirs.first_byte)
        cpu = statistics.median(ours.cpu) / statistics.median(theirs.cpu)
        least = min(ours.cpu) / min(theirs.cpu)
        print(f"{ratio:.2f} of the time of the Web Adapter + uvicorn")
        print(f"{cpu:.2f} of its CPU time ({least:.2f} of the least)")
        print(f"(budget: {_BUDGET_RATIO} of the time)")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
