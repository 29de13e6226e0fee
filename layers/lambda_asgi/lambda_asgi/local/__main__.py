"""``python -m lambda_asgi.local``: run a Lambda function on this machine, behind a function URL."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

try:
    from .function_url import FunctionUrl
except ModuleNotFoundError as error:
    if error.name != "h11":
        raise
    sys.exit("python -m lambda_asgi.local needs h11: pip install h11")

from .http import Server
from .intrinsics import TemplateError
from .options import Configured, UsageError, configure, parser
from .pool import STARTS, Pool
from .reload import watch
from .report import notice


async def run(options: argparse.Namespace, configured: Configured) -> None:
    """Serve until SIGINT or SIGTERM.

    Raises:
        OSError: The address is in use, or not of this machine.
    """
    function = configured.function
    pool = Pool(function, options.environments)
    url = FunctionUrl(
        pool,
        region=function.region,
        streams=configured.streams,
        cors=configured.cors,
        tells_disconnect=options.tell_disconnect,
    )
    server = Server(url.serve)
    address = f"http://{options.host}:{await server.listen(options.host, options.port)}"
    _greet(address, options, configured)
    watching = asyncio.create_task(_watch(pool, function.directory, wanted=options.reload))
    await _signalled()
    watching.cancel()
    server.close()
    await pool.close()


def _greet(address: str, options: argparse.Namespace, configured: Configured) -> None:
    notice(f"function URL: {address}/")
    starts = min(STARTS, options.environments)
    notice(f"  environments: {options.environments} at most, {starts} start at a time")
    notice(f"  Invoke API: boto3.client('lambda', endpoint_url='{address}')")
    if configured.signed:
        notice("  AuthType is AWS_IAM: this URL checks no signatures, and takes every request")


async def _watch(pool: Pool, directory: Path | None, *, wanted: bool) -> None:
    if wanted:
        await watch(directory or Path.cwd(), pool.replace)


async def _signalled() -> None:
    received = asyncio.Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(name, received.set)
    await received.wait()


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] | None = None) -> None:
    """Read the command line and serve.

    Args:
        arguments: The command line's, if not this process's.
        environ: The function's variables, if not this process's.
    """
    options = parser().parse_args(arguments)
    try:
        configured = configure(options, os.environ if environ is None else environ)
    except (UsageError, TemplateError, OSError) as error:
        sys.exit(str(error))
    try:
        asyncio.run(run(options, configured))
    except OSError as error:
        sys.exit(
            f"cannot listen on {options.host}:{options.port}: {error.strerror}. "
            "Choose another address with --host and --port."
        )


if __name__ == "__main__":
    main()
