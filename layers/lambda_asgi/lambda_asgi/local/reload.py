"""Watch a function's code: look at its files for changes from time to time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

PAUSE = 0.5
"""Seconds between two looks."""

_SKIPPED = frozenset({"__pycache__", "node_modules"})
_SUFFIXES = frozenset({".py", ".toml", ".html", ".js", ".css", ".env"})


def stamps(root: Path) -> dict[Path, float]:
    """The modification times of the files below ``root`` that may be part of a function."""
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
    """Call ``changed`` after each change, until cancelled."""
    before = stamps(root)
    while True:
        await asyncio.sleep(pause)
        now = await asyncio.to_thread(stamps, root)
        if now != before:
            for path, _ in now.items() - before.items():
                _forget_bytecode(path)
            before = now
            changed()


def _forget_bytecode(source: Path) -> None:
    """Remove what Python has compiled from a file that has changed since.

    Python would take it for current if the file has the size, and was saved in the second, that it
    had before.
    """
    for compiled in (source.parent / "__pycache__").glob(f"{source.stem}.*.pyc"):
        compiled.unlink(missing_ok=True)
