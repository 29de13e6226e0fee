"""Notices that a function's code has changed, by looking at its files now and then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

PAUSE = 0.5
"""Seconds between two looks."""

_SKIPPED = frozenset({"__pycache__", "node_modules"})
_SUFFIXES = frozenset({".py", ".toml", ".html", ".js", ".css", ".env"})


def stamps(root: Path) -> dict[Path, float]:
    """The times of change of the files below ``root`` that a function may be made of."""
    found: dict[Path, float] = {}
    waiting = [root]
    while waiting:
        for path in waiting.pop().iterdir():
            if path.name.startswith(".") or path.name in _SKIPPED:
                continue
            if path.is_dir() and not path.is_symlink():
                waiting.append(path)
            elif path.suffix in _SUFFIXES:
                found[path] = path.stat().st_mtime
    return found


async def watch(root: Path, changed: Callable[[], None], *, pause: float = PAUSE) -> None:
    """Call ``changed`` after each change; until cancelled."""
    before = stamps(root)
    while True:
        await asyncio.sleep(pause)
        now = await asyncio.to_thread(stamps, root)
        if now != before:
            before = now
            changed()
