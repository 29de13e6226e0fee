"""``python -m lambda_asgi``: the process that Lambda starts, in place of its own runtime's."""

from __future__ import annotations

import os
import sys
from collections.abc import MutableMapping

from . import loading, logs
from .loop import new_loop
from .runtime import Runtime


def main(environ: MutableMapping[str, str]) -> int:
    """Run the handler that ``_HANDLER`` names; the process's exit code."""
    logs.configure(environ)
    loading.extend_path(environ)
    runtime, loop = Runtime(environ), new_loop()
    try:
        # Before the loop runs, as Lambda's own runtime imports: a module may want to run one.
        handler = loading.load(environ["_HANDLER"])
    except Exception as error:
        return loop.run_until_complete(runtime.refuse(error))
    return loop.run_until_complete(runtime.run(handler))


if __name__ == "__main__":
    sys.exit(main(os.environ))
