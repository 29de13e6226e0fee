"""Encoded commands on one connection of redis-py's pool. Imported with redis-py, late."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from redis.exceptions import ResponseError


@asynccontextmanager
async def sent(pool: Any, data: bytes) -> AsyncIterator[Any]:
    """Send encoded commands; yield the connection, to read each response from it.

    Args:
        pool: redis-py's connections.
        data: The commands.
    """
    connection = await pool.get_connection()
    try:
        await connection.send_packed_command([data], check_health=False)
        yield connection
    except ResponseError:
        raise  # a complete response
    except BaseException:
        # Unread responses must not become those of other commands.
        await connection.disconnect(nowait=True)
        raise
    finally:
        await pool.release(connection)


def fail(outcomes: Iterable[asyncio.Future[Any]], error: Exception) -> None:
    """Make those fail that have no result yet."""
    for outcome in outcomes:
        if not outcome.done():
            outcome.set_exception(error)
