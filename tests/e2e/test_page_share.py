"""Share links: what a watcher sees, and what becomes of bad ones."""

from __future__ import annotations

import asyncio
from urllib.parse import quote

import httpx2
from playwright.async_api import Page, expect

from tests.conftest import Serve
from tests.e2e.conftest import ANSWER, ONE_MODEL, Chromium, ask
from tests.fakes.upstream import DONE, ROLE, STOP, Upstream, complete, text
from tokenwire.auth.tickets import Tickets

KEY = "key-of-mine-for-the-page"


async def secret() -> bytes:
    """Return the secret that signs tickets."""
    return KEY.encode()


async def shared(page: Page) -> str:
    """Click Share, and return the link."""
    await page.click("#share")
    await expect(page.locator("#share")).to_have_text("Link copied")
    return await page.get_attribute("#share", "data-link") or ""


async def test_a_watcher_sees_the_question_and_nothing_to_send(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """The shared view has question and answer, and neither composer, Stop nor list of chats."""
    gate = asyncio.Event()
    provider.answer(ROLE, text("It is "), gate, text("Paris."), STOP, DONE)
    mine = (await chromium.tab(str(site.base_url))).page
    await ask(mine, "What is the capital\nof <b>France</b> & co?")
    await expect(mine.locator(ANSWER)).to_contain_text("It is")
    link = await shared(mine)

    theirs = (await chromium.tab(link)).page
    await expect(theirs.locator(".turn.user .body")).to_have_text(
        "What is the capital of <b>France</b> & co?"
    )
    for hidden in ("#ask", "#send", "#stop", "#chats", "#model", "#share", "#settings-open"):
        await expect(theirs.locator(hidden)).to_be_hidden()
    gate.set()
    await expect(theirs.locator(ANSWER)).to_have_text("It is Paris.")
    await expect(theirs.locator("text=Regenerate")).to_have_count(0)
    await expect(theirs.locator("text=Open a chat of your own")).to_be_visible()


async def test_share_stays_after_the_answer_has_ended(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """A complete answer can be shared, also after a reload."""
    provider.answer(*complete("complete"))
    mine = (await chromium.tab(str(site.base_url))).page
    await ask(mine)
    await expect(mine.locator(ANSWER)).to_have_text("complete")
    await expect(mine.locator("#send")).to_be_visible()
    await mine.reload()

    theirs = (await chromium.tab(await shared(mine))).page

    await expect(theirs.locator(ANSWER)).to_have_text("complete")


async def test_an_answer_that_is_gone_cannot_be_shared(
    provider: Upstream, serve: Serve, chromium: Chromium
) -> None:
    """Share of an answer that the server no longer has says so."""
    provider.answer(*complete("short-lived"))
    site = await serve(provider, TOKENWIRE_RETENTION="0.1", **ONE_MODEL)
    page = (await chromium.tab(str(site.base_url))).page
    await ask(page)
    await expect(page.locator(ANSWER)).to_have_text("short-lived")
    await expect(page.locator("#send")).to_be_visible()

    async with asyncio.timeout(20):
        while not await page.locator("#notice", has_text="no longer has this answer").is_visible():
            await page.click("#share")
            await asyncio.sleep(0.1)


async def test_a_bad_link_says_so_and_has_a_way_on(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """A keyless server's bad link is about the link, not about a key, and leads to a chat."""
    unknown = quote("/v1/streams/st_unknown?ticket=1.1.x", safe="")
    for fragment in (f"watch={unknown}", "watch=nonsense"):
        page = (await chromium.tab(f"{site.base_url}/?{fragment[:9]}#{fragment}")).page
        await expect(page.locator(".note")).to_contain_text("This link")
        assert "key" not in await page.inner_text(".note")
        await expect(page.locator("#door")).to_be_hidden()
        await page.click(".note >> text=Open a chat of your own")
        await expect(page.locator("#prompt")).to_be_visible()
    assert provider.requests == []


async def test_an_expired_link_says_so(
    provider: Upstream, serve: Serve, chromium: Chromium
) -> None:
    """For an expired link the page says to request a new one from its maker."""
    provider.answer(*complete("x"))
    site = await serve(provider, TOKENWIRE_SECRET=KEY, **ONE_MODEL)
    stream = (await site.post("/v1/streams", json={"message": "x"})).json()["id"]
    ticket, _ = await Tickets(secret, ttl=-1).sign(stream)
    url = quote(f"/v1/streams/{stream}?ticket={ticket}", safe="")

    page = (await chromium.tab(f"{site.base_url}/#watch={url}")).page

    await expect(page.locator(".note")).to_contain_text(
        "This link has expired. Ask the person who shared it for a new one."
    )


async def test_copies_over_http_on_another_name_are_real(
    provider: Upstream, serve: Serve, chromium: Chromium
) -> None:
    """Without a clipboard API, "Link copied" is true all the same: the text can be pasted."""
    provider.answer(*complete("```sh\necho hi\n```"))
    site = await serve(provider, TOKENWIRE_API_KEYS=KEY, **ONE_MODEL)
    page = (await chromium.tab(f"http://lan.test:{site.base_url.port}")).page
    assert await page.evaluate("navigator.clipboard") is None
    await page.fill("#key", KEY)
    await page.keyboard.press("Enter")
    await expect(page.locator("#door")).to_be_hidden()
    await ask(page)
    await expect(page.locator(f"{ANSWER} code")).to_have_text("echo hi")
    await expect(page.locator("#send")).to_be_visible()

    link = await shared(page)
    assert await pasted(page) == link
    await page.click(".code .copy")
    await expect(page.locator(".code .copy")).to_have_text("Copied")
    assert await pasted(page) == "echo hi"


async def pasted(page: Page) -> str:
    """Paste into the composer, and return what came."""
    await page.fill("#prompt", "")
    await page.focus("#prompt")
    await page.keyboard.press("Control+V")
    return await page.input_value("#prompt")


async def test_a_crafted_question_is_text(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """The question of a link is bounded, is not markdown, and starts no request."""
    evil = "<img src=x onerror=alert(1)> [x](javascript:alert(1)) **b** " + "y" * 10_000
    link = quote("/v1/streams/st_unknown?ticket=1.1.x", safe="")
    tab = await chromium.tab(f"{site.base_url}/#watch={link}&question={quote(evil)}")

    shown = tab.page.locator(".turn.user .body")
    await expect(shown).to_contain_text("**b** yyy")
    assert len(await shown.text_content() or "") == 2001
    assert await shown.locator("*").count() == 0
