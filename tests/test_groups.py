"""Tests of one group go to one worker."""

from __future__ import annotations

import os

import pytest


@pytest.mark.xdist_group("a group")
def test_scheduler_is_told_the_group(request: pytest.FixtureRequest) -> None:
    """In a worker a test's name ends with its group; the scheduler reads nothing else."""
    in_worker = "PYTEST_XDIST_WORKER" in os.environ
    assert request.node.nodeid.endswith("@a group") == in_worker
