"""The page, in Chromium, against the real server and a scripted provider."""

from __future__ import annotations

import asyncio

import httpx2
from playwright.async_api import Page, expect

from tests.conftest import Serve
from tests.e2e.conftest import ANSWER, ONE_MODEL, Chromium, ask
from tests.fakes.cloudfront import cloudfront
from tests.fakes.relay import relay
from tests.fakes.upstream import DONE, ROLE, STOP, Act, Upstream, complete, text


async def test_tokens_show_as_they_come(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """The first token is displayed before the provider sends the last."""
    gate = asyncio.Event()
    provider.answer(ROLE, text("**first** "), gate, text("last"), STOP, DONE)
    page = (await chromium.tab(str(site.base_url))).page

    await ask(page)
    await expect(page.locator(f"{ANSWER} strong")).to_have_text("first")
    assert "last" not in await page.inner_text(ANSWER)
    gate.set()

    await expect(page.locator(ANSWER)).to_have_text("first last")
    await expect(page.locator("#send")).to_be_visible()
    await expect(page.locator("#stats")).to_contain_text("first token")
    assert provider.requests[0].json["messages"] == [{"role": "user", "content": "Hi"}]


async def test_stop_stops_the_provider(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """Stop closes the provider's connection, and the page shows a message."""
    provider.answer(ROLE, text("going on"), Act.STALL)
    page = (await chromium.tab(str(site.base_url))).page
    await ask(page)
    await expect(page.locator(ANSWER)).to_contain_text("going on")

    await page.click("#stop")

    await asyncio.wait_for(provider.requests[0].closed.wait(), 1)
    await expect(page.locator(".note")).to_contain_text("Stopped.")


async def test_escape_stops_too(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """The page can be used with the keyboard only."""
    provider.answer(ROLE, text("going on"), Act.STALL)
    page = (await chromium.tab(str(site.base_url))).page
    await ask(page)
    await expect(page.locator(ANSWER)).to_contain_text("going on")

    await page.keyboard.press("Escape")

    await asyncio.wait_for(provider.requests[0].closed.wait(), 5)


async def test_reload_resumes(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """A reload during an answer loses and repeats nothing, and does not call the provider again."""
    gate = asyncio.Event()
    provider.answer(ROLE, text("one "), text("two "), gate, text("three"), STOP, DONE)
    page = (await chromium.tab(str(site.base_url))).page
    await ask(page)
    await expect(page.locator(ANSWER)).to_contain_text("one two")

    await page.reload()
    await expect(page.locator(ANSWER)).to_contain_text("one two")
    gate.set()

    await expect(page.locator(ANSWER)).to_have_text("one two three")
    await expect(page.locator(".turn.user")).to_have_count(1)
    assert len(provider.requests) == 1


async def test_lost_network_is_resumed(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """The page resumes automatically after a lost connection."""
    gate = asyncio.Event()
    provider.answer(ROLE, text("one "), gate, text("two"), STOP, DONE)
    async with relay(site.base_url.port or 0) as between:
        page = (await chromium.tab(between.base_url)).page
        await ask(page)
        await expect(page.locator(ANSWER)).to_contain_text("one")

        between.cut()
        gate.set()

        await expect(page.locator(ANSWER)).to_have_text("one two", timeout=15_000)
        await expect(page.locator("#stats")).to_contain_text("reconnect")
    assert len(provider.requests) == 1


async def test_shared_link_shows_same_stream(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """A second person opens the link and sees the complete running answer."""
    gate = asyncio.Event()
    provider.answer(ROLE, text("one "), gate, text("two"), STOP, DONE)
    mine = (await chromium.tab(str(site.base_url))).page
    await ask(mine)
    await expect(mine.locator(ANSWER)).to_contain_text("one")
    await mine.click("#share")
    await expect(mine.locator("#share")).to_have_text("Link copied")
    link = await mine.get_attribute("#share", "data-link")

    theirs = (await chromium.tab(link or "")).page
    await expect(theirs.locator(ANSWER)).to_contain_text("one")
    await expect(theirs.locator("#shared")).to_be_visible()
    gate.set()

    for page in (mine, theirs):
        await expect(page.locator(ANSWER)).to_have_text("one two")
    assert len(provider.requests) == 1


async def test_errors_are_displayed(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """An error is displayed, the retry button works, and the part before the error is kept."""
    provider.answer(ROLE, text("half"), b'data: {"error":{"type":"overloaded_error"}}\n\n')
    provider.answer(*complete("whole"))
    page = (await chromium.tab(str(site.base_url))).page
    await ask(page)
    await expect(page.locator(".note.error")).to_contain_text("error")

    await page.click(".note.error >> text=Try again")

    await expect(page.locator(ANSWER)).to_have_text("whole")
    assert len(provider.requests) == 2
    await page.click("[aria-label='Previous version']")
    await expect(page.locator(ANSWER)).to_have_text("half")


async def test_model_text_never_runs(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """HTML and script links in an answer are displayed as text."""
    evil = (
        "<img src=x onerror=document.title='owned'> <script>document.title='owned'</script>\n\n"
        "[click](javascript:document.title='owned') [ok](https://example.test/a)\n\n"
        "```html\n<b>bold</b><script>document.title='owned'</script>\n```\n"
        "| a |\n| --- |\n| <i>x</i> |\n\n# <u>h</u>\n- <s>i</s>\n> <q>q</q>\n"
    )
    provider.answer(*complete(*(evil[n : n + 5] for n in range(0, len(evil), 5))))
    page = (await chromium.tab(str(site.base_url))).page
    await ask(page, "<img src=x onerror=document.title='owned'>")
    await expect(page.locator("#send")).to_be_visible()
    await expect(page.locator(f"{ANSWER} figure code")).to_contain_text("<b>bold</b>")

    assert await page.title() != "owned"
    found = await page.locator("#log").evaluate(
        "log => [...log.querySelectorAll('img,script,b,i,u,s,q')].map(n => n.outerHTML)"
    )
    assert found == []
    links = await page.locator(f"{ANSWER} a").evaluate_all("all => all.map(a => a.href)")
    assert links == ["https://example.test/a"]


async def test_page_asks_for_a_key(provider: Upstream, serve: Serve, chromium: Chromium) -> None:
    """A page of a server with keys asks for a key, and stores it in this tab only."""
    provider.answer(*complete("welcome"))
    site = await serve(provider, TOKENWIRE_API_KEYS="key-of-mine-for-the-page", **ONE_MODEL)
    page = (await chromium.tab(str(site.base_url))).page
    await page.fill("#key", "key-of-mine-for-the-page")
    await page.keyboard.press("Enter")
    await expect(page.locator("#model")).to_be_enabled()
    await ask(page)

    await expect(page.locator(ANSWER)).to_have_text("welcome")
    assert await page.evaluate("JSON.stringify(localStorage)") == "{}"


async def test_page_works_behind_cloudfront(
    provider: Upstream, serve: Serve, chromium: Chromium
) -> None:
    """The page's server says that it is behind CloudFront; each request then passes its signing."""
    gate = asyncio.Event()
    provider.answer(ROLE, text("going "), gate, text("on"), Act.STALL)
    site = await serve(provider, TOKENWIRE_API_KEYS="key-of-mine-for-the-page", **ONE_MODEL)
    async with cloudfront(str(site.base_url)) as distribution:
        page = (await chromium.tab(distribution)).page
        await page.fill("#key", "key-of-mine-for-the-page")
        await page.keyboard.press("Enter")
        await expect(page.locator("#model")).to_be_enabled()
        await ask(page)
        await expect(page.locator(ANSWER)).to_contain_text("going")
        await page.click("#share")
        await expect(page.locator("#share")).to_have_text("Link copied")
        await page.reload()
        gate.set()
        await expect(page.locator(ANSWER)).to_contain_text("going on")
        await page.click("#stop")
        await expect(page.locator(".note")).to_contain_text("Stopped.")
        # The stand-in is as strict as Lambda: a request without the hash is refused.
        assert (
            await site.post(f"{distribution}/api/stream", json={"message": "x"})
        ).status_code == 403
    assert len(provider.requests) == 1


async def test_event_source_rejoins_its_stream(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """A disconnected EventSource resumes the same stream, and stops after a 204."""
    gate = asyncio.Event()
    provider.answer(ROLE, text("one "), gate, text("two"), STOP, DONE)
    async with relay(site.base_url.port or 0) as between:
        # A page without requests of its own, which the disconnect would break too.
        page = (await chromium.tab(f"{between.base_url}/tokenwire.d.ts")).page
        await page.evaluate(
            """() => {
                const source = new EventSource("/api/stream?prompt=Hi");
                window.seen = []; window.over = false;
                source.onmessage = (event) => window.seen.push(event.data);
                source.onerror = () => { window.over = source.readyState === 2; };
            }"""
        )
        await _until(page, "window.seen.some(data => data.includes('one'))")
        between.cut()
        gate.set()
        await _until(page, "window.over")
        seen = await page.evaluate("window.seen")

    deltas = [line for line in seen if '"content"' in line]
    assert deltas == ['{"type":"content","delta":"one "}', '{"type":"content","delta":"two"}']
    assert seen[-1] == "[DONE]"
    assert len([line for line in seen if '"start"' in line]) == 1
    assert len(provider.requests) == 1


async def _until(page: Page, condition: str) -> None:
    async with asyncio.timeout(20):
        while not await page.evaluate(condition):
            await asyncio.sleep(0.02)


async def test_reference_names_every_route(site: httpx2.AsyncClient, chromium: Chromium) -> None:
    """The API reference shows each public route, and loads from its own origin only."""
    page = (await chromium.tab(f"{site.base_url}/docs")).page
    await expect(page.locator("section").first).to_be_visible()
    text_ = await page.inner_text("#routes")
    for path in ("/v1/chat/completions", "/api/stream", "/v1/streams/{stream_id}/cancel"):
        assert path in text_
