"""Run one target under the coverage-guided fuzzer: ``python -m tests.fuzz TARGET …``.

Further arguments are passed to libFuzzer. Without a name the targets are listed.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

# Only installed for make fuzz; it instruments modules that are imported after it.
atheris: Any = importlib.import_module("atheris") if len(sys.argv) > 1 else None


def main() -> None:
    """Fuzz, or list the targets."""
    if atheris is None:
        from tests.fuzz.targets import TARGETS

        sys.stdout.write(" ".join(TARGETS) + "\n")
        return
    with atheris.instrument_imports(include=["tokenwire", "lambda_asgi"]):
        from tests.fuzz.targets import TARGETS
    atheris.Setup([sys.argv[0], *sys.argv[2:]], TARGETS[sys.argv[1]])
    atheris.Fuzz()


main()
