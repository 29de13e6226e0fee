"""A real Chromium, and the errors that it reports."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx2
import pytest
from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.conftest import Serve
from tests.fakes.chromium import connected
from tests.fakes.upstream import Script, Upstream

PROGRAMS = ("chromium-headless-shell", "chromium", "chromium-browser")
"""Chromium without windows takes a third of the CPU time, with the same engine and network code."""
CHROMIUM = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, PROGRAMS)), None)
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-gpu", "--no-first-run"]
# A name that is not this machine's own: over http, its pages have no clipboard.
FLAGS.append("--host-resolver-rules=MAP lan.test 127.0.0.1")
# What a page shows is waited for as long as anything else here: a loaded machine is slow.
expect.set_options(timeout=20_000)


# The answers on the page.
ANSWER = ".turn.assistant .body"


@dataclass
class Tab:
    """A page, with its errors."""

    page: Page
    expected_origins: int = 1
    complaints: list[str] = field(default_factory=list)
    origins: set[str] = field(default_factory=set)


class Chromium:
    """Opener of tabs that record every error, policy violation and requested origin."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self.tabs: list[Tab] = []

    async def context(self, **options: Any) -> BrowserContext:
        """Return a new browser profile."""
        return await self._browser.new_context(**options)

    async def tab(
        self, url: str, context: BrowserContext | None = None, *, origins: int = 1
    ) -> Tab:
        """Open a tab at this address, whose page requests from so many origins."""
        page = await (context or await self.context()).new_page()
        tab = Tab(page, origins)
        self.tabs.append(tab)
        page.on("pageerror", lambda error: tab.complaints.append(str(error)))
        page.on("console", lambda m: tab.complaints.append(m.text) if "Policy" in m.text else None)
        page.on("request", lambda r: tab.origins.add(r.url.split("/")[2]))
        await page.goto(url)
        return tab


async def ask(page: Page, prompt: str = "Hi") -> None:
    """Type a message and press Enter, once the page is ready."""
    await expect(page.locator("#send")).to_be_enabled()
    await page.fill("#prompt", prompt)
    await page.keyboard.press("Enter")


async def is_kept(page: Page) -> None:
    """Wait until the browser has saved every chat, with all answers complete."""
    await page.wait_for_function(_IS_KEPT)


_IS_KEPT = """async () => {
    const open = indexedDB.open("tokenwire");
    await new Promise((resolve) => (open.onsuccess = resolve));
    const all = open.result.transaction("chats").objectStore("chats").getAll();
    await new Promise((resolve) => (all.onsuccess = resolve));
    open.result.close();
    const turns = all.result.flatMap((chat) => Object.values(chat.nodes));
    return turns.length > 0 && turns.every((turn) => !turn.live);
}"""


@pytest.fixture
def provider(provider: Upstream) -> Upstream:
    """Answer the question for models, which a page causes, beside the scripts."""
    provider.listing = Script((b"{}",), headers={"content-type": "application/json"})
    return provider


ONE_MODEL = {
    "TOKENWIRE_DEFAULT_MODEL": "openai/gpt-x",
    "TOKENWIRE_CONFIG": "tests/e2e/one_model.toml",
}
"""Settings of a server whose only model is the scripted provider's."""


@pytest.fixture
async def site(provider: Upstream, serve: Serve) -> httpx2.AsyncClient:
    """Start the app, with the scripted provider's model as the default."""
    return await serve(provider, **ONE_MODEL)


@pytest.fixture(scope="session")
def browser_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start Chromium, headless; yield its URL for Playwright."""
    if CHROMIUM is None:
        pytest.skip("skipped: Chromium is not installed")
    config = tmp_path_factory.mktemp("chromium") / "config.json"
    config.write_text(json.dumps({"executablePath": CHROMIUM, "args": FLAGS}))
    command = [sys.executable, "-m", "playwright", "launch-server", "--browser", "chromium"]
    command += ["--config", str(config)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, start_new_session=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().decode().strip()
        # The command starts Node, and Node the browser.
        os.killpg(process.pid, signal.SIGTERM)


@pytest.fixture
async def chromium(browser_url: str) -> AsyncIterator[Chromium]:
    """Connect to the browser; its profiles end with the test."""
    async with connected(browser_url) as browser:
        found = Chromium(browser)
        yield found
    for tab in found.tabs:
        assert tab.complaints == []
        assert len(tab.origins) == tab.expected_origins
