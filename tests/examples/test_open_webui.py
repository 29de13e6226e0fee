"""``examples/open_webui``: Open WebUI with tokenwire as its provider, by configuration alone."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.conftest import Serve
from tests.e2e.conftest import ONE_MODEL, Chromium
from tests.examples.conftest import EXAMPLES, free_port, running
from tests.fakes.upstream import DONE, ROLE, STOP, Act, Upstream, text

PROGRAM = Path(".cache/open-webui/bin/open-webui").absolute()
KEY = "key-one-of-tests"

pytestmark = [
    pytest.mark.example,
    pytest.mark.skipif(
        not PROGRAM.exists(), reason="skipped: make test-examples OPEN_WEBUI=1 installs Open WebUI"
    ),
]


def settings_of_the_readme() -> dict[str, str]:
    """The lines of ``open-webui.env``."""
    lines = (EXAMPLES / "open_webui/open-webui.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


async def ask(page: Page, question: str) -> None:
    """Type a question and send it."""
    await page.locator("#chat-input").click()
    await page.locator("#chat-input").press_sequentially(question)
    await page.keyboard.press("Enter")


async def test_open_webui_streams_resumes_and_stops(
    provider: Upstream, serve: Serve, chromium: Chromium, tmp_path: Path
) -> None:
    """It lists the model, streams, shows the running answer after a reload, and stops the model."""
    second, third = asyncio.Event(), asyncio.Event()
    provider.answer(ROLE, text("one "), second, text("two "), third, text("three"), STOP, DONE)
    provider.answer(ROLE, text("going on"), Act.STALL)
    client = await serve(provider, **ONE_MODEL, TOKENWIRE_API_KEYS=KEY)
    port = str(free_port())
    url = f"http://127.0.0.1:{port}"
    environ = {
        **settings_of_the_readme(),
        "OPENAI_API_BASE_URL": f"{str(client.base_url).rstrip('/')}/v1",
        "OPENAI_API_KEY": KEY,
        "DATA_DIR": str(tmp_path),
        "WEBUI_SECRET_KEY": "secret of tests",
    }
    command: list[str | Path] = [PROGRAM, "serve", "--host", "127.0.0.1", "--port", port]
    async with running(*command, at=tmp_path, url=f"{url}/health", environ=environ):
        page = (await chromium.tab(url)).page
        await page.get_by_role("dialog").get_by_role("button", name="Close").first.click()
        answers = page.get_by_role("log")

        await ask(page, "Hi")
        await expect(answers).to_contain_text("one")
        second.set()
        await expect(answers).to_contain_text("one two")
        await page.reload()
        await expect(answers).to_contain_text("one two")
        third.set()
        await expect(answers).to_contain_text("one two three")

        await ask(page, "More")
        await expect(answers).to_contain_text("going on")
        await page.get_by_role("button", name="Stop").click()
        await asyncio.wait_for(provider.requests[1].closed.wait(), 10)
    turns = [turn["content"] for turn in provider.requests[1].json["messages"]]
    assert turns[-3:] == ["Hi", "one two three", "More"]
    assert len(provider.requests) == 2
