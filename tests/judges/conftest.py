"""Collects what each judge found, and says it at the end."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable
from typing import cast

import pytest

from tests.fakes.server import serving
from tests.judges.table import Row, render

_PLUGIN = "judges"
# They run in `make test` as well: nothing of others has to be started for them.
_BESIDE = "tests/matrix/test_published_shapes.py"
_SHAPES = ("the official SDKs' types", "each chunk and object of `chat`, `responses`, `messages`")
Verdict = Callable[[str], None]


class Rows:
    """The rows of this session, filled by the reports of its tests."""

    def __init__(self) -> None:
        self.by_name: dict[str, Row] = {}

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

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Write the table."""
        if self.by_name:
            terminalreporter.section("judges")
            for line in render(self.by_name):
                terminalreporter.write_line(line)


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
    """Note on each test whose verdict it is; in ``make judges``, on those beside it too."""
    for item in items:
        if "JUDGES" in os.environ and item.nodeid.startswith(_BESIDE):
            item.add_marker(pytest.mark.judge(*_SHAPES))
        marker = item.get_closest_marker("judge")
        if marker is not None and marker.args:
            item.user_properties.append(("judge", marker.args))


@pytest.fixture
def rows(request: pytest.FixtureRequest) -> dict[str, Row]:
    """The rows of the judges that have run until now."""
    found = request.config.pluginmanager.get_plugin(_PLUGIN)
    assert isinstance(found, Rows)
    return found.by_name


@pytest.fixture
def verdict(record_property: Callable[[str, object], None]) -> Verdict:
    """Notes the judge's own figures."""
    return lambda said: record_property("verdict", said)


@pytest.fixture
async def demo() -> AsyncIterator[str]:
    """The base URL of the app with nothing but the demo provider, which does not dawdle."""
    async with serving({"TOKENWIRE_DEMO_PACE": "100000"}) as url:
        yield url
