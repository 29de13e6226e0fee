"""tokenwire beside other gateways, in one run (``make bench-peers``); writes docs/benchmarks.md."""

from __future__ import annotations

import os
import resource
import sys

from . import document
from .board import board
from .generator import Missing
from .measure import BULK, FIRST, IDLE, Results, measure, opened, paced, start
from .programs import go_proxy, litellm, nginx, portkey, tokenwire

_SCENARIOS = (IDLE, FIRST, paced(20), paced(200), BULK)


def main() -> int:
    """Measure everything; the process's exit code."""
    raise_limit()
    load, results = os.getloadavg()[0], Results()
    try:
        with opened() as bench:
            starts = (nginx, go_proxy, tokenwire, portkey, litellm)
            subjects = start(bench, starts, results)
            measure(bench, subjects, _SCENARIOS, results)
            board(bench, subjects, results)
    except Missing as error:
        print(f"nothing is measured: {error}", file=sys.stderr)
        return 1
    document.write(results, load)
    print(document.section(results, load))
    return 0


def raise_limit() -> None:
    """Let this process, and those that it starts, open as many connections as they may."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    sys.exit(main())
