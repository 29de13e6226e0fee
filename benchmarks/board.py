"""The method of a public board of gateways: 64 deltas, 20 ms apart; gateway minus direct.

Its figures are the 99th percentiles of the time to the first token and of a token's delay, and how
many streams at once a gateway sustains.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

from .generator import Generator, Missing
from .measure import QUICK, Results, noted
from .processes import Running
from .programs import Bench

STREAMS = 8 if QUICK else 16
_REQUESTS = 24 if QUICK else 160
_STEPS = (32, 128) if QUICK else (32, 64, 128, 256, 512)
_LATE = 20.0
"""Milliseconds that the 99th percentile of a token may be later than direct: one interval."""


def board(bench: Bench, subjects: Sequence[Running], results: Results) -> None:
    """Measure the provider itself and all subjects, in turns."""
    generator = bench.generator
    assert generator is not None
    everyone = [bench.provider, *subjects]
    flags = (f"-streams={STREAMS}", f"-requests={_REQUESTS}")
    for subject in everyone:
        noted(results, subject, "board", partial(generator.measure, "board", subject, *flags))
    failed: set[str] = set()
    for streams in _STEPS:
        direct = 0.0
        for subject in everyone:
            if subject.name in failed:
                continue
            late = _lateness(generator, subject, streams)
            if subject is bench.provider:
                direct = late
            elif late - direct > _LATE:
                failed.add(subject.name)
            else:
                results.sustained[subject.name] = streams


def _lateness(generator: Generator, subject: Running, streams: int) -> float:
    """Return the 99th percentile of a token's delay, in milliseconds; infinite if one broke off."""
    flags = (f"-streams={streams}", f"-requests={2 * streams}")
    try:
        found: float = generator.measure("board", subject, *flags)["token_ms_p99"]
    except Missing:
        found = math.inf
    print(f"{subject.name}: {streams} at once: p99 of a token's delay {found:.1f} ms", flush=True)
    return found


def added(results: Results, subject: str, key: str) -> float | None:
    """Return what a subject adds to a figure of the provider itself, in milliseconds."""
    through = results.median(subject, "board", key)
    direct = results.median("provider", "board", key)
    return None if through is None or direct is None else through - direct
