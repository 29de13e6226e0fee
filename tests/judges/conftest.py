"""Collect the results of each judge, and print them at the end."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import cast

import pytest

from tests.fakes.server import serving
from tests.judges.table import Row, complete, missing, render, replaced

PAGE = Path("docs/judges.md")
_PLUGIN = "judges"
# These run in `make test` too: they need no program of other authors.
_BESIDE = "tests/matrix/test_published_shapes.py"
_SHAPES = ("the official SDKs' types", "each chunk and object of `chat`, `responses`, `messages`")
Verdict = Callable[[str], None]


class Rows:
    """The rows of this session, filled by the reports of its tests."""

    def __init__(self) -> None:
        self.by_name: dict[str, Row] = {}
        self.missing: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a test's outcome in its judge's row."""
        properties = dict(report.user_properties)
        if "judge" not in properties or (report.when != "call" and report.passed):
            return
        name, checks = map(str, cast("tuple[str, str]", properties["judge"]))
        row = self.by_name.setdefault(name, Row(checks))
        row.verdict = str(properties.get("verdict", row.verdict))
        if report.skipped:
            row.skipped.append(_reason(report))
        elif report.passed:
            row.passed += 1
        else:
            row.failed += 1

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Compare the page with the table, or write it: where the results of all workers are."""
        task = os.environ.get("JUDGES")
        if task is None or hasattr(session.config, "workerinput"):
            return
        rows = complete(self.by_name)
        if task == "write":
            PAGE.write_text(replaced(PAGE.read_text(), render(rows)))
        elif found := missing(PAGE.read_text(), rows):
            self.missing = found
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Write the table."""
        if self.by_name:
            terminalreporter.section("judges")
            for line in render(self.by_name):
                terminalreporter.write_line(line)
        for line in self.missing:
            terminalreporter.write_line(f"not in {PAGE} (make judges WRITE=1): {line}", red=True)


def _reason(report: pytest.TestReport) -> str:
    found = report.longrepr
    return (
        str(found[2] if isinstance(found, tuple) else found)
        .removeprefix("Skipped: ")
        .removeprefix("skipped: ")
    )


def pytest_configure(config: pytest.Config) -> None:
    """Begin the table."""
    config.pluginmanager.register(Rows(), _PLUGIN)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Record the judge of each test; in ``make judges`` also for the tests beside it."""
    for item in items:
        if "JUDGES" in os.environ and item.nodeid.startswith(_BESIDE):
            item.add_marker(pytest.mark.judge(*_SHAPES))
        marker = item.get_closest_marker("judge")
        if marker is not None and marker.args:
            item.user_properties.append(("judge", marker.args))


@pytest.fixture
def verdict(record_property: Callable[[str, object], None]) -> Verdict:
    """Record the judge's own figures."""
    return lambda result: record_property("verdict", result)


@pytest.fixture
async def demo() -> AsyncIterator[str]:
    """Return the base URL of the app with a fast demo provider only."""
    async with serving({"TOKENWIRE_DEMO_PACE": "100000"}) as url:
        yield url
