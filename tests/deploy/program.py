"""``make deploy``'s program with a stand-in for the SAM CLI; run by a shell, as a person would."""

from __future__ import annotations

import sys

from scripts.deploy.__main__ import main

if __name__ == "__main__":
    main((sys.executable, "-m", "tests.deploy.standin_sam"))
