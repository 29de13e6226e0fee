"""The runtimes, as processes in front of the scripted Runtime API."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.differential.recorded import Answer
from tests.differential.runtime_api import scripted_api
from tests.differential.scenes import SCENES
from tests.fakes.ports import reserved_port

PROGRAMS = Path(__file__).parent / "programs"
BUILT = Path(".cache/differential").absolute()
RUST = BUILT / "rust/release/differential"
GO = BUILT / "go"
NODE = Path(sys.executable).with_name("node")
UV = Path(".cache/tools/bin/uv").absolute()
ADAPTER = Path(".cache/web-adapter/bin/lambda-adapter").absolute()


class NotHere(Exception):
    """The runtime cannot run on this machine; the text says why."""


@dataclass(frozen=True, slots=True)
class Runtime:
    """A runtime with the script's program.

    Args:
        title: Its column.
        command: What Lambda would start.
        needs: Files without which it cannot run.
        name: Under which ``scripts/differential.sh`` notes why it could not be built.
        environ: Beside Lambda's own variables.
        beside: A server that runs beside it, as Lambda runs an extension and a function.
    """

    title: str
    command: Sequence[str]
    needs: Sequence[Path] = ()
    name: str = ""
    environ: Mapping[str, str] = field(default_factory=dict)
    beside: Sequence[str] = ()

    def check(self) -> None:
        """Raise NotHere where it cannot run."""
        reason = BUILT / f"{self.name}.missing"
        if self.name and reason.exists():
            raise NotHere(reason.read_text().strip())
        for path in self.needs:
            if not path.exists():
                raise NotHere(f"{path.name} has not been built (make differential)")


def _script(name: str) -> list[str]:
    run = [str(UV), "run", "--quiet", "--no-project", "--locked", "--script"]
    return [*run, str(PROGRAMS / f"{name}.py")]


RUNTIMES = (
    Runtime(
        "lambda_asgi",
        [sys.executable, "-m", "lambda_asgi"],
        environ={"_HANDLER": "tests.differential.programs.ours.handler", "LAMBDA_TASK_ROOT": "."},
    ),
    Runtime(
        "Web Adapter + uvicorn",
        [str(ADAPTER)],
        needs=[ADAPTER, UV],
        name="adapter",
        environ={"AWS_LWA_INVOKE_MODE": "response_stream", "RUST_LOG": "error"},
        beside=_script("web"),
    ),
    Runtime("Rust", [str(RUST)], needs=[RUST], name="rust"),
    Runtime(
        "Node",
        [str(NODE), str(PROGRAMS / "node/node_modules/aws-lambda-ric/index.mjs")],
        needs=[NODE, PROGRAMS / "node/node_modules/aws-lambda-ric/rapid-client.node"],
        name="node",
        environ={"_HANDLER": "handler.handler", "LAMBDA_TASK_ROOT": str(PROGRAMS / "node")},
    ),
    Runtime("Go", [str(GO)], needs=[GO], name="go"),
    Runtime("Python + Mangum", _script("ric"), needs=[UV], environ={"_HANDLER": "ric.handler"}),
)


async def answers(runtime: Runtime, folder: Path) -> dict[str, Answer]:
    """Every scene's answer, from one process; from a new one where it has ended.

    Raises:
        NotHere: It cannot run on this machine.
    """
    runtime.check()
    found: dict[str, Answer] = {}
    while len(found) < len(SCENES):
        before = len(found)
        await _play(runtime, folder / f"signal{before}", found)
        assert len(found) > before
    return found


async def _play(runtime: Runtime, signal: Path, found: dict[str, Answer]) -> None:
    async with scripted_api(signal) as api, AsyncExitStack() as stack:
        environ = _environ(runtime, api.address, signal)
        if runtime.beside:
            await stack.enter_async_context(_process(runtime.beside, environ))
        ended = await stack.enter_async_context(_process(runtime.command, environ))
        for path, scene in SCENES.items():
            if path not in found:
                found[path] = await api.play(scene, ended)
            if ended.done():
                return


def _environ(runtime: Runtime, address: str, signal: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
    port = str(reserved_port())
    return kept | {
        "AWS_LAMBDA_RUNTIME_API": address,
        "AWS_LAMBDA_FUNCTION_NAME": "f",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_LOG_GROUP_NAME": "g",
        "AWS_LAMBDA_LOG_STREAM_NAME": "s",
        "AWS_REGION": "us-east-1",
        "_HANDLER": "bootstrap",
        "LAMBDA_TASK_ROOT": str(PROGRAMS),
        "AWS_LWA_PORT": port,
        "SIGNAL": str(signal),
        "UV_PYTHON_DOWNLOADS": "never",
        **runtime.environ,
    }


@asynccontextmanager
async def _process(
    command: Sequence[str], environ: Mapping[str, str]
) -> AsyncIterator[asyncio.Future[int]]:
    """A process for as long as the context lasts; the future is done when it ends."""
    quiet = asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(
        *command, env=environ, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True
    )
    ended = asyncio.ensure_future(process.wait())
    try:
        yield ended
    finally:
        ended.cancel()
        if process.returncode is None:
            # uv's child is in the same group.
            os.killpg(process.pid, 9)
        await process.wait()
