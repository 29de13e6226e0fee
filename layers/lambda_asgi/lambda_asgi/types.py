"""The shapes of ASGI 3, as types."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Any, TypeAlias

Message: TypeAlias = MutableMapping[str, Any]
Scope: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
# Each framework has its own types for these three, and a type checker would refuse all but ours.
ASGIApp: TypeAlias = Callable[..., Coroutine[Any, Any, None]]
Event: TypeAlias = dict[str, Any]
