"""SnapStart: what runs before the snapshot is taken, and after an environment came out of it."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol, cast

Hook = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any]]


class Registry(Protocol):
    """Where an app registered its hooks; ``snapshot_restore_py`` in the managed runtime."""

    def get_before_snapshot(self) -> list[Hook]:
        """Hooks, in the order they were registered."""

    def get_after_restore(self) -> list[Hook]:
        """Hooks, in the order they were registered."""


class NoHooks:
    """Where ``snapshot_restore_py`` is not installed."""

    def get_before_snapshot(self) -> list[Hook]:
        """None."""
        return []

    def get_after_restore(self) -> list[Hook]:
        """None."""
        return []


def registry() -> Registry:
    """The app's hooks."""
    if find_spec("snapshot_restore_py") is None:
        return NoHooks()
    found: Registry = cast("Registry", import_module("snapshot_restore_py"))
    return found


async def before_snapshot(hooks: Registry) -> None:
    """Run the hooks, the last registered first. What a hook raises passes through."""
    for hook in reversed(hooks.get_before_snapshot()):
        await _call(hook)


async def after_restore(hooks: Registry) -> None:
    """Run the hooks, the first registered first. What a hook raises passes through."""
    for hook in hooks.get_after_restore():
        await _call(hook)


async def _call(hook: Hook) -> None:
    function, args, kwargs = hook
    result = function(*args, **kwargs)
    if inspect.isawaitable(result):
        waiting: Awaitable[Any] = result
        await waiting
