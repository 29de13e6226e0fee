"""Which event loop: uvloop where it is installed, asyncio's own where it is not."""

from __future__ import annotations

import asyncio


def new_loop() -> asyncio.AbstractEventLoop:
    """A new event loop, not yet running."""
    try:
        from uvloop import new_event_loop
    except ImportError:
        return asyncio.new_event_loop()
    return new_event_loop()


def end_loop(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel what still runs in a loop, and close it.

    A loop that is dropped instead destroys its tasks at a moment of the garbage collector's choice.
    """
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    loop.run_until_complete(asyncio.wait(tasks, timeout=1) if tasks else asyncio.sleep(0))
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.close()
