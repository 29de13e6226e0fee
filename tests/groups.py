"""Tests that one worker runs in a row, since what they share takes seconds to set up."""

from __future__ import annotations

import pytest
from _pytest.nodeid import NodeId

ONE_WORKER = {"moto_url"}
"""Fixtures whose tests all go to one worker."""
WORKER_PER_FILE = {"browser_url"}
"""Fixtures whose tests go to one worker per file: a row of them all would be the longest part."""
SERVERS = {"dynamodb_local"}
"""Servers that take seconds to start, and much memory: their tests go to one worker."""


def mark(item: pytest.Item) -> None:
    """Put a test into the groups of the fixtures and servers that it uses."""
    names = set(getattr(item, "fixturenames", ()))
    params = getattr(getattr(item, "callspec", None), "params", {})
    values = {value for value in params.values() if isinstance(value, str)}
    groups = (ONE_WORKER & names) | (SERVERS & values)
    if WORKER_PER_FILE & names:
        groups.add(item.path.stem)
    for group in sorted(groups):
        item.add_marker(pytest.mark.xdist_group(group))


class Names:
    """What ``--dist loadgroup`` relies on: each worker ends a test's name with its groups.

    pytest-xdist 3.8 writes them where pytest 9.2 does not read them, and each test then goes to any
    worker (https://github.com/pytest-dev/pytest-xdist/issues/1386).
    """

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Name the groups, as pytest-xdist does."""
        for item in items:
            groups = sorted({str(mark.args[0]) for mark in item.iter_markers("xdist_group")})
            suffix = f"@{'_'.join(groups)}"
            if groups and not item.nodeid.endswith(suffix):
                item._id = NodeId.parse(item.nodeid + suffix)
