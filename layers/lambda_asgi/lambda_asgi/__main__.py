"""``python -m lambda_asgi``: the process that Lambda starts, in place of its own runtime's."""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping
from functools import partial

from . import loading, logs
from .heap import PausedCollection
from .loop import new_loop
from .runtime import Runtime


def main(environ: MutableMapping[str, str]) -> int:
    """Run the handler that ``_HANDLER`` names; return the process's exit code."""
    collection = PausedCollection()
    logs.configure(environ)
    loading.extend_path(environ)
    # Provisioned, snapshotted and managed environments start before a request needs them.
    is_on_demand = environ.get("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand") == "on-demand"
    ready = partial(collection.resume, collect=not is_on_demand)
    runtime, loop = Runtime(environ, on_ready=ready), new_loop()
    try:
        # Before the loop runs, as in Lambda's own runtime: a module may run a loop of its own.
        handler = loading.load(environ["_HANDLER"])
    except Exception as error:
        return loop.run_until_complete(runtime.report_init_error(error))
    return loop.run_until_complete(runtime.run(handler))


if __name__ == "__main__":
    sys.exit(main(os.environ))
