"""``python -m lambda_asgi.local module:handler``: a function URL on this machine."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from pathlib import Path

from .environment import Function
from .front import FunctionUrl
from .http import Server
from .pool import Pool
from .reload import watch
from .report import say


def parser() -> argparse.ArgumentParser:
    """What can be said on the command line."""
    found = argparse.ArgumentParser(prog="python -m lambda_asgi.local", description=__doc__)
    add = found.add_argument
    add("handler", help="module:attribute of a lambda_asgi.Handler")
    add("--host", default="127.0.0.1")
    add("--port", type=int, default=9000, help="0 takes a free one")
    add("--concurrency", type=int, default=1, metavar="N", help="requests in one environment")
    add("--environments", type=int, default=10, metavar="N", help="how many there may be")
    add("--timeout", type=float, default=30.0, metavar="S", help="seconds for an invocation")
    add("--memory", type=int, default=1024, metavar="MB", help="an environment's limit")
    add("--env-file", type=Path, metavar="FILE", help="NAME=value lines for the function")
    add("--reload", action="store_true", help="take new code when files change")
    add(
        "--tell-disconnect",
        action="store_true",
        help="fail the function's writes once the client has left; Lambda does not",
    )
    return found


def read_env_file(path: Path) -> dict[str, str]:
    """The variables of a file of ``NAME=value`` lines; ``#`` begins a comment line."""
    found = {}
    for line in path.read_text().splitlines():
        name, sign, value = line.strip().partition("=")
        if sign and not name.startswith("#"):
            found[name.removeprefix("export ").strip()] = value.strip().strip("\"'")
    return found


async def run(options: argparse.Namespace) -> None:
    """Serve until SIGINT or SIGTERM."""
    extra = read_env_file(options.env_file) if options.env_file else {}
    function = Function(
        options.handler,
        {**os.environ, **extra},
        timeout=options.timeout,
        memory_mb=options.memory,
        concurrency=options.concurrency,
    )
    pool = Pool(function, options.environments)
    url = FunctionUrl(pool, tells_disconnect=options.tell_disconnect)
    server = Server(url.serve)
    port = await server.listen(options.host, options.port)
    say(f"function URL: http://{options.host}:{port}/")
    watching = asyncio.create_task(_watch(pool, wanted=options.reload))
    await _signalled()
    watching.cancel()
    server.close()
    await pool.close()


async def _watch(pool: Pool, *, wanted: bool) -> None:
    if wanted:
        await watch(Path.cwd(), pool.replace)


async def _signalled() -> None:
    told = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, told.set)
    await told.wait()


def main() -> None:
    """Read the command line and serve."""
    options = parser().parse_args()
    try:
        asyncio.run(run(options))
    except OSError as error:
        sys.exit(f"cannot listen on {options.host}:{options.port}: {error.strerror}")


if __name__ == "__main__":
    main()
