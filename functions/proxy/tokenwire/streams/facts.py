"""What is measured of a stream, for the log line and the metrics."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..events import Usage


@dataclass(frozen=True, slots=True)
class Attempt:
    """One provider that was called, as ``provider/model``; its error's code, if it failed."""

    model: str
    error: str | None = None


@dataclass(slots=True)
class Facts:
    """What the pump has measured, for the log line. Instants are ``perf_counter`` seconds."""

    started: float = 0.0
    first_upstream_byte: float | None = None
    first_content: float | None = None
    ended: float | None = None
    blocks: int = 0
    bytes: int = 0
    response_model: str | None = None
    usage: Usage | None = None
    finish_reasons: list[str] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
