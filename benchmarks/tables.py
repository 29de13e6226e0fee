"""Tables of results, in Markdown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from .board import added
from .measure import Results

Cell: TypeAlias = Callable[[str], str]
_NONE = "-"


def value(results: Results, scenario: str, key: str, form: str = ".1f", scale: float = 1) -> Cell:
    """Return a column: a subject's median, or a dash."""

    def cell(subject: str) -> str:
        found = results.median(subject, scenario, key)
        return _NONE if found is None else format(found * scale, form)

    return cell


def ratio(results: Results, scenario: str, key: str, to: str) -> Cell:
    """Return a column: how many times another subject's value."""

    def cell(subject: str) -> str:
        found, other = (results.median(name, scenario, key) for name in (subject, to))
        return _NONE if found is None or not other else f"{found / other:.1f}"

    return cell


def table(rows: Sequence[str], columns: Mapping[str, Cell]) -> str:
    """Return the table with these rows, named in its first column."""
    lines = [f"| | {' | '.join(columns)} |", f"| --- |{' --- |' * len(columns)}"]
    lines += [f"| {row} | {' | '.join(cell(row) for cell in columns.values())} |" for row in rows]
    return "\n".join(lines)


def paced(results: Results, streams: int) -> dict[str, Cell]:
    """Return the columns of one paced scenario."""
    name = f"paced {streams}"
    return {
        f"{streams} streams: CPU µs per block": value(results, name, "cpu_us_per_block"),
        "delivered of what was sent": value(
            results, name, "blocks_per_second", ".0%", 1 / (streams * 50)
        ),
        "delay p99, ms": value(results, name, "delay_ms_p99"),
    }


def requests(results: Results) -> dict[str, Cell]:
    """Return the columns of single requests, of bulk and of memory."""
    return {
        "bulk: CPU µs per block": value(results, "bulk", "cpu_us_per_block"),
        "first byte added, ms": value(results, "first", "added_ms_p50", ".2f"),
        "its p90": value(results, "first", "added_ms_p90", ".2f"),
        "CPU ms per request": value(results, "first", "cpu_ms_per_request", ".2f"),
        "KiB per open stream": value(results, "idle", "kib_per_stream", ".0f"),
    }


def of_board(results: Results) -> dict[str, Cell]:
    """Return the columns of the public board."""

    def milliseconds(key: str) -> Cell:
        def cell(subject: str) -> str:
            found = added(results, subject, key)
            return _NONE if found is None else f"{found:.2f}"

        return cell

    return {
        "added to the first token, p99, ms": milliseconds("first_ms_p99"),
        "added to a token, p99, ms": milliseconds("token_ms_p99"),
        "added to a token, median, ms": milliseconds("token_ms_p50"),
        "streams sustained": lambda subject: str(results.sustained.get(subject, 0)),
    }


def generator_share(results: Results) -> str:
    """Return how much of its core the load generator has used, at the most."""
    shares = [
        result["generator_share"]
        for found in results.found.values()
        for result in found
        if "generator_share" in result
    ]
    return f"{max(shares, default=0):.0%}"
