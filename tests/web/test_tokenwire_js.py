"""``tokenwire.js`` and the page's markdown under Node's own test runner."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.outside

NODE = Path(sys.executable).with_name("node")

needs_the_build = pytest.mark.skipif(
    not Path("page/node_modules/markdown-it").exists(),
    reason="skipped: what the page is built with is not installed",
)


@pytest.mark.skipif(not NODE.exists(), reason="skipped: Node is not installed")
@pytest.mark.parametrize(
    "name",
    [
        # The parser at every split, resuming, giving up, and cancelling.
        "tokenwire",
        # Untrusted links and ids, and endless events.
        "hostile",
        # What is kept of a chat, sent of it, and spoken.
        "chats",
        # Markdown, markdown that grows, and hostile markdown, TeX and code.
        pytest.param("markdown", marks=needs_the_build),
        # The work for hostile markdown, in steps.
        pytest.param("markdown_work", marks=needs_the_build),
    ],
)
def test_page_modules_alone(name: str) -> None:
    """Run Node's tests of each module of the page, without a browser."""
    done = subprocess.run(
        [NODE, "--test", f"tests/node/{name}.test.mjs"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "# fail 0" in done.stdout or "fail 0" in done.stdout
