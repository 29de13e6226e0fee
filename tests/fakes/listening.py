"""A server of our own for one test: a free port, and no connection that outlives it."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

Serve = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
_GONE = (asyncio.IncompleteReadError, OSError, asyncio.CancelledError)


@asynccontextmanager
async def listening(
    serve: Serve, limit: int = 2**16, secure: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """Serve each connection, and close it; yield ``127.0.0.1:PORT``.

    Args:
        serve: Called with each connection. A connection that breaks is no error.
        limit: The longest line or block that its reader returns, in bytes.
        secure: The server's side of TLS; None for plain TCP.
    """
    tasks = set[asyncio.Task[None]]()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        try:
            with suppress(*_GONE):
                await serve(reader, writer)
        finally:
            writer.close()
            tasks.discard(task)

    server = await asyncio.start_server(connected, "127.0.0.1", 0, limit=limit, ssl=secure)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks)
