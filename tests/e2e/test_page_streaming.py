"""An answer on the page as it streams: what is shown stays, and the work is bounded."""

from __future__ import annotations

import asyncio

import httpx2
from playwright.async_api import Page, expect

from tests.e2e.conftest import ANSWER, Chromium, ask
from tests.fakes.upstream import DONE, ROLE, STOP, Act, Upstream, complete, text

CODE = "```python\nprint('hello')\n```\n\n"
# Counts what changes in an answer, and where, with the frames in which it does.
WATCH = """() => {
    window.seen = {changes: 0, removed: 0, settled: 0, frames: 0};
    const body = document.querySelector(".turn.assistant .body");
    const first = body.firstElementChild;
    new MutationObserver(records => {
        window.seen.frames += 1;
        for (const each of records) {
            window.seen.changes += 1;
            window.seen.removed += each.removedNodes.length;
            if (first && first.contains(each.target)) window.seen.settled += 1;
        }
    }).observe(body, {childList: true, characterData: true, subtree: true});
}"""


def words(count: int) -> list[bytes]:
    """Return blocks of text, one word each."""
    return [text(f"word{n} ") for n in range(count)]


async def tick() -> None:
    """Wait a little, as a model does between two tokens."""
    await asyncio.sleep(0.01)


async def test_every_click_on_copy_counts_while_an_answer_streams(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """Twenty clicks on the Copy of a block of code, during an answer, are twenty copies."""
    more = [step for block in words(3000) for step in (block, tick)]
    provider.answer(ROLE, text(CODE), text("Then "), *more, STOP, DONE)
    context = await chromium.context(permissions=["clipboard-read", "clipboard-write"])
    page = (await chromium.tab(str(site.base_url), context)).page
    await page.evaluate(
        """() => {
            window.copies = 0;
            new MutationObserver(all => {
                for (const each of all) {
                    if (each.target.textContent === "Copied") window.copies += 1;
                }
            }).observe(document.querySelector("#log"), {childList: true, subtree: true});
        }"""
    )
    await ask(page)
    await expect(page.locator(ANSWER)).to_contain_text("word5 ")

    await page.evaluate("() => navigator.clipboard.writeText('')")
    for n in range(20):
        await page.click(".code .copy")
        await page.wait_for_function(f"() => window.copies > {n}")
        await page.evaluate("() => document.querySelector('.code .copy').textContent = 'Copy'")
        assert await page.evaluate("navigator.clipboard.readText()") == "print('hello')"
        await page.evaluate("() => navigator.clipboard.writeText('')")

    assert await page.is_visible("#stop")
    await page.click("#stop")


async def test_a_selection_survives_the_tokens_after_it(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """Text that is selected during an answer stays selected, in the growing paragraph too."""
    gate = asyncio.Event()
    provider.answer(ROLE, text("Select me, "), gate, *words(200), STOP, DONE)
    page = (await chromium.tab(str(site.base_url))).page
    await ask(page)
    await expect(page.locator(ANSWER)).to_contain_text("Select me")
    await page.evaluate(
        """() => {
            const text = document.querySelector(".turn.assistant .body p").firstChild;
            document.getSelection().setBaseAndExtent(text, 0, text, 9);
        }"""
    )
    gate.set()

    await expect(page.locator(ANSWER)).to_contain_text("word199")
    await expect(page.locator("#send")).to_be_visible()
    assert await page.evaluate("document.getSelection().toString()") == "Select me"


async def test_ten_thousand_blocks_change_the_end_only(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """Of an answer of 10,000 blocks no node is touched again, and frames paint many at once."""
    gate = asyncio.Event()
    blocks = [
        text("".join(f"Block **{n + m}**.\n\n" for m in range(10))) for n in range(0, 10_000, 10)
    ]
    provider.answer(ROLE, text("First block.\n\nSecond.\n\nThird.\n\n"), gate, *blocks, STOP, DONE)
    page = (await chromium.tab(str(site.base_url))).page
    await ask(page)
    await expect(page.locator(ANSWER)).to_contain_text("Third.")
    await page.evaluate(WATCH)
    gate.set()

    await expect(page.locator(f"{ANSWER} > p")).to_have_count(10_003, timeout=60_000)
    await expect(page.locator("#send")).to_be_visible()
    seen = await page.evaluate("window.seen")
    assert seen["settled"] == 0
    assert seen["frames"] <= 1003, seen
    assert seen["changes"] < 3 * 10_000, seen
    # The blocks that are out of sight are not laid out: what is shown is a small part.
    shown = "each => each.checkVisibility({contentVisibilityAuto: true})"
    drawn = await page.evaluate(
        f"[...document.querySelectorAll('.body > p > strong')].filter({shown}).length"
    )
    assert drawn < 500


async def test_a_block_of_100_kb_grows_in_place(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """Code of 100 kB is one text that is appended to, once a frame: nothing is made anew."""
    gate = asyncio.Event()
    lines = [text(f"{n:099}\n") for n in range(1000)]
    provider.answer(ROLE, text("Look:\n\n```\nfirst\n"), gate, *lines, text("```\n"), STOP, DONE)
    page = (await chromium.tab(str(site.base_url))).page
    await ask(page)
    await expect(page.locator(f"{ANSWER} code")).to_have_text("first")
    await page.evaluate(WATCH)
    gate.set()

    await expect(page.locator("#send")).to_be_visible(timeout=60_000)
    assert len(await page.locator(f"{ANSWER} code").text_content() or "") == 5 + 1000 * 100
    seen = await page.evaluate("window.seen")
    assert seen["removed"] == 0
    assert seen["frames"] <= 1002
    assert seen["changes"] <= 2 * seen["frames"], seen


async def test_a_message_of_100_kb_is_folded(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """A long message is shown in part, and opened and closed again by a button."""
    provider.answer(*complete("short"))
    context = await chromium.context(permissions=["clipboard-read", "clipboard-write"])
    page = (await chromium.tab(str(site.base_url), context)).page
    await page.evaluate("() => navigator.clipboard.writeText('0123456789abcde \\n'.repeat(6000))")
    await expect(page.locator("#send")).to_be_enabled()
    await page.focus("#prompt")
    await page.keyboard.press("Control+V")
    await page.keyboard.press("Enter")
    await expect(page.locator(ANSWER)).to_have_text("short")
    height = "document.querySelector('.turn.user').getBoundingClientRect().height"
    assert await page.evaluate(height) < 500

    await page.click("text=Show all")
    assert await page.evaluate(height) > 30_000
    await page.click("text=Show less")
    assert await page.evaluate(height) < 500


async def test_the_page_follows_the_end_until_its_user_scrolls(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """Scrolling up stops the following; the button jumps to the end, and follows again."""
    gates = [asyncio.Event() for _ in range(3)]
    lines = text("".join(f"- line {n}\n" for n in range(100)))
    provider.answer(ROLE, lines, gates[0], lines, gates[1], lines, STOP, DONE)
    page = (await chromium.tab(str(site.base_url))).page
    box = "document.querySelector('#scroll')"
    left = f"{box}.scrollHeight - {box}.scrollTop - {box}.clientHeight"
    await ask(page)
    await expect(page.locator(f"{ANSWER} li")).to_have_count(100)
    await page.wait_for_function(f"() => {left} < 5")
    await expect(page.locator("#end")).to_be_hidden()

    await page.evaluate("document.querySelector('#scroll').scrollTop = 0")
    await expect(page.locator("#end")).to_be_visible()
    gates[0].set()
    await expect(page.locator(f"{ANSWER} li")).to_have_count(200)
    assert await page.evaluate("document.querySelector('#scroll').scrollTop") == 0

    await page.click("#end")
    await page.wait_for_function(f"() => {left} < 5")
    gates[1].set()
    await expect(page.locator(f"{ANSWER} li")).to_have_count(300)
    await page.wait_for_function(f"() => {left} < 5")


async def test_screen_readers_hear_sentences(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """The polite region gets complete sentences without marks, not tokens, and then the end."""
    gate = asyncio.Event()
    words = "The **first** sentence is here. The second [one](https://x.test) is 3.14 long! And"
    provider.answer(ROLE, *(text(each) for each in words), gate, text(" the rest"), STOP, DONE)
    page = (await chromium.tab(str(site.base_url))).page
    await ask(page)
    heard = page.locator("#announce p")
    await expect(heard.first).to_be_attached()
    await expect(page.locator(ANSWER)).to_contain_text("And")
    gate.set()
    await expect(heard.last).to_have_text("The answer is complete.")

    texts = [" ".join(each.split()) for each in await heard.all_text_contents()]
    assert " ".join(texts) == (
        "The first sentence is here. The second one is 3.14 long! And the rest "
        "The answer is complete."
    )
    for each in texts[:-2]:
        assert each[-1] in ".!"
    assert await page.get_attribute("#announce", "aria-live") == "polite"


async def test_the_line_of_numbers_is_not_spoken(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """No live region has the answer itself, whose tokens would be read one by one."""
    provider.answer(ROLE, text("x"), Act.STALL)
    page = (await chromium.tab(str(site.base_url))).page
    await ask(page)
    await expect(page.locator(ANSWER)).to_have_text("x")

    assert await _live_regions_with(page, ANSWER) == 0
    assert await _live_regions_with(page, "#stats") == 0
    await page.click("#stop")


async def _live_regions_with(page: Page, selector: str) -> int:
    inside = f"{selector} [aria-live], {selector} [role=status], {selector} [role=log]"
    around = f":is([aria-live], [role=status], [role=log]):has({selector})"
    return await page.locator(f"{inside}, {around}").count()
