"""A real ``EventSource`` in Chromium, on a URL with a ``messageId``."""

from __future__ import annotations

import asyncio

from playwright.async_api import Page, expect

from tests.conftest import Serve
from tests.e2e.conftest import Chromium
from tests.fakes.relay import relay
from tests.fakes.upstream import DONE, ROLE, STOP, Upstream, text

OPEN = """() => {
  document.title = "";
  const source = new EventSource("/api/stream?prompt=Hi&messageId=m-1");
  source.onmessage = ({ data }) => {
    if (data === "[DONE]") return source.close();
    const event = JSON.parse(data);
    if (event.type === "content") document.title += event.delta;
  };
}"""


async def test_event_source_comes_back_by_itself_and_anew(
    provider: Upstream, serve: Serve, chromium: Chromium
) -> None:
    """Its own reconnects and the page after a reload get all of one answer, paid once.

    The first answer is lost before its first event, so the first reconnect has no Last-Event-ID.
    """
    first, second = asyncio.Event(), asyncio.Event()
    provider.answer(ROLE, text("one_"), first, text("two_"), second, text("three"), STOP, DONE)
    client = await serve(provider, TOKENWIRE_DEFAULT_MODEL="openai/gpt-x")
    async with relay(client.base_url.port or 0) as between:
        page: Page = (await chromium.tab(f"{between.base_url}/healthz")).page
        between.lose, between.lose_if = 1, b"messageId"
        await page.evaluate(OPEN)
        await expect(page).to_have_title("one_")
        assert between.lose == 0

        between.cut()
        first.set()
        await expect(page).to_have_title("one_two_")

        await page.reload()
        await page.evaluate(OPEN)
        await expect(page).to_have_title("one_two_")
        second.set()
        await expect(page).to_have_title("one_two_three")
    assert len(provider.requests) == 1
