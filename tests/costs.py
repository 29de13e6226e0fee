"""CPU time of each test file, with the processes that its tests started and waited for.

A long run lists the costliest files at its end, so that one that grows is noticed. Wall time says
little here: the tests share their cores with each other.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Generator

import pytest

SHOWN = 15
LONG = 60.0
"""A run that takes less CPU time, in seconds, lists nothing."""


def cpu_seconds() -> float:
    """CPU time of this process and of its children that have ended, in seconds."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


class Costs:
    """Measures each phase of a test in the worker that runs it; the controller adds them up."""

    def __init__(self) -> None:
        self._before = cpu_seconds()
        self._of_file: Counter[str] = Counter()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """Attach the CPU time since the last report, which xdist sends with the report."""
        report = yield
        before, self._before = self._before, cpu_seconds()
        vars(report)["cpu_seconds"] = self._before - before
        return report

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add the report's CPU time to that of its file."""
        self._of_file[report.nodeid.split("::")[0]] += vars(report).get("cpu_seconds", 0.0)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """List the costliest files."""
        total = sum(self._of_file.values())
        if total < LONG:
            return
        terminalreporter.section(f"{total:.0f} CPU seconds in tests, most of them in")
        for name, seconds in self._of_file.most_common(SHOWN):
            terminalreporter.line(f"{seconds:7.1f}  {name}")
