"""What a process may hold, and how its streams outlive it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ..stores.contract import Store
from .deadline import Timeouts
from .tail import Bounds


@dataclass(frozen=True, slots=True)
class Limits:
    """What the process may hold: streams by count, blocks by bytes, the past by seconds.

    ``owner_streams`` and ``owner_bytes`` are what one caller may have of it; callers that are not
    told apart (``unlimited``) have no part of their own.
    """

    bounds: Bounds = field(default_factory=Bounds)
    timeouts: Timeouts = field(default_factory=Timeouts)
    streams: int = 10_000
    bytes: int = 256 * 1024 * 1024
    retention: float = 600.0
    owner_streams: int = 5_000
    owner_bytes: int = 128 * 1024 * 1024
    unlimited: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Durability:
    """How streams outlive this process.

    Args:
        store: Where their logs are.
        lease: Seconds after which a producer that is not heard of counts as dead.
        first: Whether viewers are given a record before it is in the store (``send``), or
            only then (``commit``).
    """

    store: Store
    lease: float = 10.0
    first: Literal["send", "commit"] = "send"
