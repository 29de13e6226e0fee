"""``make lambda`` as a person starts it: with its store, each request in its own environment."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.e2e.conftest import Chromium

pytestmark = [pytest.mark.outside, pytest.mark.timed]

SOAK = "TOKENWIRE_SOAK" in os.environ
# `make soak` runs the long answer as deployed: a minute, with the default leases. Otherwise it
# takes as many leases and heartbeats, in less time.
SECONDS = 60 if SOAK else 9
LEASES = {"TOKENWIRE_LEASE": "2", "TOKENWIRE_VIEWER_LEASE": "3", "TOKENWIRE_HEARTBEAT": "0.3"}
PACE = 10
ANSWER = ".turn.assistant .body"


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the command; yield what it prints at its start."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("TOKENWIRE_", "OPENAI_"))}
    environ = {**kept, "TOKENWIRE_DEMO_PACE": str(PACE), **({} if SOAK else LEASES)}
    output = tmp_path_factory.mktemp("make-lambda") / "output"
    # -o: does not look for what is to be installed.
    command = ["make", "-s", "-o", ".venv/.server", "lambda", "PORT=0"]
    with output.open("wb") as out:
        process = subprocess.Popen(
            command, env=environ, stdout=out, stderr=out, start_new_session=True
        )
    try:
        yield _until(process, output, "Invoke API")
    finally:
        os.killpg(process.pid, signal.SIGINT)
        process.wait()


def _until(process: subprocess.Popen[bytes], output: Path, words: str) -> str:
    end = time.monotonic() + 20
    while words not in (text := output.read_text()):
        assert process.poll() is None, text
        assert time.monotonic() < end, text
        time.sleep(0.05)
    return text


@pytest.fixture
def url(printed: str) -> str:
    """Return the function URL."""
    address = re.search(r"function URL: (\S+)/", printed)
    assert address is not None
    return address[1]


def words(count: int) -> str:
    """Return text of so many different words: one token each."""
    return " ".join(f"w{n}" for n in range(count))


async def ask_for(page: Page, text: str) -> None:
    """Ask for this text; wait for its first word."""
    await page.fill("#prompt", f"Say exactly: {text}")
    await page.keyboard.press("Enter")
    await expect(page.locator(ANSWER).last).to_contain_text("w0")


def test_runs_with_a_store_and_the_stack_s_limits(printed: str) -> None:
    """Streams are kept without any setting; an invocation has the stack's timeout and memory."""
    assert "limits of the stack: 300 s, 512 MB" in printed
    assert re.search(r"streams are kept in (a server of this command|redis://127)", printed)


async def test_stop_works(url: str, chromium: Chromium) -> None:
    """Stop, in an environment of its own, ends the generation in another."""
    page = (await chromium.tab(url)).page
    await ask_for(page, words(200))
    await page.click("#stop")
    await expect(page.locator(".note")).to_contain_text("Stopped.")
    await expect(page.locator("#send")).to_be_visible()
    assert "w199" not in await page.inner_text(ANSWER)


@pytest.mark.timeout(150)
async def test_long_answer_survives_a_reload(url: str, chromium: Chromium) -> None:
    """An answer of many leases and heartbeats, reloaded in its middle, is complete."""
    count = SECONDS * PACE
    page = (await chromium.tab(url)).page
    await ask_for(page, words(count))
    patience = SECONDS * 1000 + 20_000
    await expect(page.locator(ANSWER)).to_contain_text(f"w{count // 2} ", timeout=patience)
    await page.reload()
    await expect(page.locator("#send")).to_be_visible(timeout=patience)
    await expect(page.locator(ANSWER)).to_contain_text(f"w{count - 1}", timeout=patience)
    assert await page.inner_text(ANSWER) == words(count)
    await expect(page.locator(".note")).to_have_count(0)
