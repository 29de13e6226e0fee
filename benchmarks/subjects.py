"""The subjects of the short table, behind a provider in Python: no Go is needed for them."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from .generator import Missing
from .processes import Running, free_port, run
from .programs import Bench, nginx, tokenwire, typed_loop


@contextmanager
def started(*, only_provider: bool = False) -> Iterator[dict[str, Running]]:
    """The provider, and everything that stands in front of it."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        port = free_port()
        pid = run(stack, [sys.executable, "-m", "benchmarks.mock", str(port)], port)
        provider = Running("provider", port, pid)
        found = {provider.name: provider}
        if not only_provider:
            bench = Bench(stack, folder, provider, tuple(os.sched_getaffinity(0)))
            for start in (tokenwire, typed_loop, nginx):
                with suppress(Missing):
                    subject = start(bench)
                    found[subject.name] = subject
        yield found
