"""``tokenwire.js`` under Node's own test runner."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

NODE = Path(sys.executable).with_name("node")


@pytest.mark.skipif(not NODE.exists(), reason="skipped: Node is not installed")
def test_client_alone() -> None:
    """Its parser at every cut, resuming, giving up, and cancelling."""
    done = subprocess.run(
        [NODE, "--test", "tests/node/tokenwire.test.mjs"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# fail 0" in done.stdout or "fail 0" in done.stdout
