"""tokenwire in its ways to run, beside a typed loop, nginx and a Go proxy (``make bench``)."""

from __future__ import annotations

import os
import sys

from . import tables
from .generator import Missing
from .measure import BULK, FIRST, IDLE, SLOW, Results, measure, opened, paced, start
from .peers import raise_limit
from .programs import four_workers, go_proxy, nginx, tokenwire, typed_loop, with_redis

_COMMON = (IDLE, FIRST, paced(20), paced(200), BULK)
_WIDE = (paced(1000), SLOW)
_DIALECTS = ("chat", "messages", "responses", "ui", "events")


def main() -> int:
    """Measure, and print the tables; the process's exit code."""
    raise_limit()
    print(f"load of the machine: {os.getloadavg()[0]:.1f}", flush=True)
    results = Results()
    try:
        with opened() as bench:
            starts = (nginx, go_proxy, tokenwire, with_redis, four_workers, typed_loop)
            subjects = start(bench, starts, results)
            measure(bench, subjects, _COMMON, results)
            measure(bench, [one for one in subjects if one.name != "typed loop"], _WIDE, results)
            plain = [one for one in subjects if one.name == "tokenwire"]
            measure(bench, plain, [paced(200, dialect) for dialect in _DIALECTS[1:]], results)
    except Missing as error:
        print(f"left out: {error}")
        return 0
    print(_report(results))
    return 0


def _report(results: Results) -> str:
    names = results.names()
    to_go = tables.ratio(results, "paced 200", "cpu_us_per_block", "Go net/http")
    kept = tables.value(results, "slow", "kib_per_stream", ".0f")
    parts = [
        tables.table(names, tables.paced(results, 200) | {"times Go": to_go}),
        tables.table(names, tables.paced(results, 20)),
        tables.table(names, tables.paced(results, 1000)),
        tables.table(names, tables.requests(results)),
        tables.table(names, {"KiB kept for a client that has stopped reading": kept}),
        tables.table(_DIALECTS, _dialects(results)),
        f"the load generator has used {tables.generator_share(results)} of its core at the most",
    ]
    return "\n\n" + "\n\n".join(parts)


def _dialects(results: Results) -> dict[str, tables.Cell]:
    def cost(dialect: str) -> float | None:
        name = "paced 200" if dialect == "chat" else f"paced 200 {dialect}"
        return results.median("tokenwire", name, "cpu_us_per_block")

    def cell(dialect: str) -> str:
        found = cost(dialect)
        return "-" if found is None else f"{found:.1f}"

    def times(dialect: str) -> str:
        found, verbatim = cost(dialect), cost("chat")
        return "-" if found is None or verbatim is None else f"{found / verbatim:.2f}"

    return {"200 paced streams, encoded as this: CPU µs per block": cell, "times chat": times}


if __name__ == "__main__":
    sys.exit(main())
