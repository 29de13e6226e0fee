"""A real Chromium, and what it complained about."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--no-sandbox", "--disable-background-networking", "--disable-gpu", "--no-first-run"]


@dataclass
class Tab:
    """A page, and what went wrong on it."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    origins: set[str] = field(default_factory=set)


class Chromium:
    """Opens tabs that note every error, every policy violation and every origin asked."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self.tabs: list[Tab] = []

    async def context(self) -> BrowserContext:
        """A profile of its own."""
        return await self._browser.new_context()

    async def tab(self, url: str, context: BrowserContext | None = None) -> Tab:
        """A tab at this address."""
        page = await (context or await self.context()).new_page()
        tab = Tab(page)
        self.tabs.append(tab)
        page.on("pageerror", lambda error: tab.complaints.append(str(error)))
        page.on("console", lambda m: tab.complaints.append(m.text) if "Policy" in m.text else None)
        page.on("request", lambda r: tab.origins.add(r.url.split("/")[2]))
        await page.goto(url)
        return tab


@pytest.fixture
async def chromium() -> AsyncIterator[Chromium]:
    """Debian's Chromium, headless."""
    if CHROMIUM is None:
        pytest.skip("skipped: there is no Chromium on this machine")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        found = Chromium(browser)
        yield found
        await browser.close()
    for tab in found.tabs:
        assert tab.complaints == []
        assert len(tab.origins) == 1
