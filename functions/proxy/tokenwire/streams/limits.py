"""What a process may hold, and how it uses its store."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ..stores.contract import Store
from .blocks import Bounds
from .deadline import Timeouts


@dataclass(frozen=True, slots=True)
class Limits:
    """What the process may hold: streams by count, blocks by bytes, ended streams by seconds.

    ``owner_streams`` and ``owner_bytes`` are what one caller may hold of it. Owners in
    ``unlimited`` have no limit of their own: callers without a key all share one id.
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
    """How streams are stored. Only a store that is shared uses ``lease`` and ``first``.

    Args:
        store: Where their logs are.
        lease: Seconds without a sign of life after which a producer counts as dead.
        first: Whether viewers receive a record before it is in the store (``send``), or
            only then (``commit``).
    """

    store: Store
    lease: float = 10.0
    first: Literal["send", "commit"] = "send"
