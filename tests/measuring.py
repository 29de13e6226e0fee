"""Branch coverage of the tests that tell something about it.

Tracing takes about as much CPU time as what is traced. Tests of complete servers with clients of
others, and those that compute for seconds, run at full speed, unless they are marked ``measured``:
these reach lines that no other does.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
from collections.abc import Generator

import coverage
import pytest

PACKAGES = ("tokenwire", "lambda_asgi")
UNMEASURED = (
    "tests/cli/test_wheels.py",
    "tests/deploy/",
    "tests/differential/",
    "tests/e2e/",
    "tests/fuzz/",
    "tests/lambda_asgi/test_heap.py",
    "tests/lambda_asgi/test_local.py",
    "tests/lambda_asgi/test_process.py",
    "tests/matrix/",
    "tests/model/",
    "tests/site/",
    "tests/stores/test_soak.py",
    "tests/stores/test_two_producers.py",
    "tests/test_cold_start.py",
    "tests/test_configuration.py",
    "tests/dialects/test_linear.py",
    "tests/http/test_openapi.py",
    "tests/test_error_codes.py",
    "tests/test_imports.py",
    "tests/test_patterns.py",
)
"""Tests that coverage does not trace, nor the processes that they start.

Those of single files count steps, read sources or validate documents.
"""
MARKERS = ("slow", "timed")
"""The markers of such tests anywhere."""
_CHILDREN = "COVERAGE_PROCESS_CONFIG"
"""With this in its environment, a Python process measures itself."""


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Stop every coverage that a worker has before pytest-cov starts the worker's own.

    pytest-cov 7.1 starts one for the options too, and with ``patch = subprocess`` the worker starts
    one because it is a process: of several coverages, the one before goes on when one is stopped.
    """
    if hasattr(session.config, "workerinput"):
        while running := coverage.Coverage.current():
            running.stop()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    """Stop coverage, if it runs, while tests are collected: they import the SDKs of others.

    The modules of ours are imported before, so that it sees their first lines.
    """
    running = coverage.Coverage.current()
    if running is None:
        return (yield)
    for package in PACKAGES:
        _import_all(package)
    running.stop()
    try:
        return (yield)
    finally:
        running.start()


def _import_all(package: str) -> None:
    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, f"{package}."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Stop coverage, if it runs, while a test runs that is not to be measured."""
    running = coverage.Coverage.current()
    if running is None or not _is_unmeasured(item):
        return (yield)
    configuration = os.environ.pop(_CHILDREN, None)
    running.stop()
    try:
        return (yield)
    finally:
        running.start()
        if configuration is not None:
            os.environ[_CHILDREN] = configuration


def _is_unmeasured(item: pytest.Item) -> bool:
    marked = {mark.name for mark in item.iter_markers()}
    listed = item.nodeid.startswith(UNMEASURED)
    return "measured" not in marked and (listed or not marked.isdisjoint(MARKERS))
