"""The part of ``docs/benchmarks.md`` that ``make bench-peers`` writes."""

from __future__ import annotations

import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path

from . import tables
from .board import STREAMS
from .measure import QUICK, ROUNDS, Results
from .plot import bars

_PAGE, _PLOT = Path("docs/benchmarks.md"), Path("docs/images/cpu-per-block.svg")
_BEGIN, _END = "<!-- written by make bench-peers -->\n", "<!-- end -->\n"


def write(results: Results, load: float) -> None:
    """Replace that part, and draw the plot."""
    page = _PAGE.read_text()
    before, _, rest = page.partition(_BEGIN)
    after = rest.partition(_END)[2]
    _PAGE.write_text(f"{before}{_BEGIN}\n{section(results, load)}\n{_END}{after}")
    costs = {
        name: cost
        for name in results.names()
        if (cost := results.median(name, "paced 20", "cpu_us_per_block")) and name != "provider"
    }
    title = "CPU microseconds per block, 20 streams of 50 blocks a second"
    note = "Lower is better; logarithmic scale; one core each, in one run."
    _PLOT.write_text(
        bars(title, note, dict(sorted(costs.items(), key=lambda i: i[1])), "tokenwire")
    )


def section(results: Results, load: float) -> str:
    """Return the method's circumstances and all tables."""
    subjects = [name for name in results.names() if name != "provider"]
    return "\n".join([_circumstances(load), *_paced(results, subjects), *_rest(results, subjects)])


def _paced(results: Results, subjects: list[str]) -> list[str]:
    name, key = "paced 200", "cpu_us_per_block"
    share = tables.generator_share(results)
    to_go = {"times Go": tables.ratio(results, name, key, "Go net/http")}
    to_ours = {"times tokenwire": tables.ratio(results, "paced 20", key, "tokenwire")}
    few, many = tables.paced(results, 20) | to_ours, tables.paced(results, 200) | to_go
    return [
        "### Paced, as models do\n",
        tables.table(subjects, many),
        "",
        tables.table(subjects, few),
        "",
        f"![CPU time per block](images/{_PLOT.name})\n",
        f"The load generator (client and provider, on a core of its own) used {share} at most.\n",
    ]


def _rest(results: Results, subjects: list[str]) -> list[str]:
    missing = [f"- {name}: {reason}" for name, reason in results.missing.items()]
    return [
        "### Single requests, bulk and memory\n",
        tables.table(subjects, tables.requests(results)),
        "",
        "### The public board's method\n",
        f"64 deltas 20 ms apart, {STREAMS} streams at once; with the gateway minus without it.\n",
        tables.table(subjects, tables.of_board(results)),
        "",
        *(["### Without a result\n", *missing, ""] if missing else []),
    ]


def _circumstances(load: float) -> str:
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    processor = found[1] if found else platform.processor()
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M")
    rounds = "one round" if ROUNDS == 1 else f"medians of {ROUNDS} rounds"
    quick = ", with `QUICK=1`" if QUICK else ""
    return (
        f"Measured at {when} UTC on {os.cpu_count()} cores of {processor}, Python "
        f"{platform.python_version()}, {rounds}{quick}. The machine's load was {load:.1f} when the "
        "run began: compare rows of this run with each other, and the CPU columns first.\n"
    )
