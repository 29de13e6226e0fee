"""These tests run in virtual time: a sleep takes none, and nothing here depends on the machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.fakes.virtual import VirtualLoop


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], VirtualLoop]]:
    """Run each test of this folder in a virtual event loop."""
    return {"virtual": VirtualLoop}
