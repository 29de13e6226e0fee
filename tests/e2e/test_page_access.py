"""The page for everyone: axe, keyboards, phones, and languages from right to left."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx2
import pytest
from playwright.async_api import Locator, Page, expect

from tests.conftest import Serve
from tests.e2e.conftest import ANSWER, Chromium, ask
from tests.fakes.upstream import Upstream, complete

AXE = Path("page/node_modules/axe-core/axe.min.js")
PHONE: dict[str, Any] = {
    "viewport": {"width": 390, "height": 780},
    "has_touch": True,
    "is_mobile": True,
}
RICH = """\
## A heading

Text with `code`, a [link](https://x.test), math $x^2$ and ~~more~~.

$$\\int_0^1 x\\,dx = \\frac{1}{2}$$

- [x] done
- [ ] to do

| A long name of a column | Another long name | incomprehensibilities |
| :-- | :-: | --: |
| incomprehensibilities | incomprehensibilities | 42 |

```python
def f(x):  # a comment
    return "text" + str(1)
```
"""
ARABIC, HEBREW = "\u0645\u0631\u062d\u0628\u0627", "\u05e9\u05dc\u05d5\u05dd"
MIXED = f"""\
English.

{ARABIC} {ARABIC}

- {ARABIC}
- x

> {HEBREW}

| {HEBREW} | x |
| - | - |
| {HEBREW} | y |

```
{ARABIC}
```
"""


async def serious(page: Page) -> list[str]:
    """Return what axe finds: rules that are broken seriously, with the first place of each."""
    await page.evaluate(AXE.read_text() + ";undefined")
    found = await page.evaluate("axe.run({resultTypes: ['violations']})")
    return [
        f"{each['id']}: {each['nodes'][0]['html'][:200]} {each['nodes'][0]['failureSummary'][:300]}"
        for each in found["violations"]
        if each["impact"] in ("serious", "critical")
    ]


@pytest.mark.skipif(not AXE.exists(), reason="skipped: axe-core is not installed")
@pytest.mark.parametrize(("size", "scheme"), [("desktop", "light"), ("phone", "dark")])
async def test_axe_finds_nothing_serious(
    size: str, scheme: str, site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """Neither on the empty page, nor with a chat, a dialog, the list of chats, or /docs."""
    provider.answer(*complete(RICH))
    provider.answer(b"{}", status=400)
    # axe is not of this page: its policy would refuse the script.
    options = PHONE if size == "phone" else {}
    context = await chromium.context(color_scheme=scheme, bypass_csp=True, **options)
    page = (await chromium.tab(str(site.base_url), context)).page
    await expect(page.locator("#model")).to_be_enabled()
    assert await serious(page) == []
    await page.fill("#prompt", "Hello")
    await page.click("#send")
    await expect(page.locator(f"{ANSWER} .hljs-keyword").first).to_be_visible()
    await expect(page.locator(f"{ANSWER} math").first).to_be_visible()
    await page.fill("#prompt", "Fail")
    await page.click("#send")
    await expect(page.locator(".note.error")).to_be_visible()
    assert await serious(page) == []
    for opener in ("#model", "#settings-open"):
        await page.click(opener)
        assert await serious(page) == [], opener
        await page.keyboard.press("Escape")
    if size == "phone":
        await page.click("#menu")
        await expect(page.locator("#search-chats")).to_be_visible()
    await page.click(".more summary")
    assert await serious(page) == []
    await page.click(".more >> text=Delete")
    assert await serious(page) == []
    await page.goto(f"{site.base_url}/docs")
    await page.click("summary >> nth=0")
    assert await serious(page) == []


@pytest.mark.skipif(not AXE.exists(), reason="skipped: axe-core is not installed")
async def test_axe_finds_nothing_serious_about_the_key(serve: Serve, chromium: Chromium) -> None:
    """The dialog for the key, with its error, and the view of a watcher."""
    site = await serve(TOKENWIRE_API_KEYS="key-of-mine-for-the-page")
    context = await chromium.context(bypass_csp=True)
    page = (await chromium.tab(str(site.base_url), context)).page
    await page.fill("#key", "wrong")
    await page.keyboard.press("Enter")
    await expect(page.locator("#door-error")).not_to_be_empty()
    assert await serious(page) == []
    await page.goto(f"{site.base_url}/?watch#watch=nonsense&question=What?")
    await expect(page.locator(".note")).to_be_visible()
    assert await serious(page) == []


async def test_a_phone_shows_all_of_it(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """Nothing is wider than the screen; a table scrolls inside, with its words whole."""
    provider.answer(*complete(RICH))
    context = await chromium.context(**PHONE)
    page = (await chromium.tab(str(site.base_url), context)).page
    await page.fill("#prompt", "Hello")
    await page.click("#send")
    await expect(page.locator(f"{ANSWER} table")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") == 390
    assert await page.evaluate("document.querySelector('#scroll').scrollWidth") <= 390
    scroller = page.locator(f"{ANSWER} .scroller")
    assert await scroller.evaluate("box => box.scrollWidth > box.clientWidth")
    # A word of 21 letters in one line.
    line = await page.locator("td").first.evaluate(
        "cell => { const r = document.createRange(); r.selectNodeContents(cell);"
        " return r.getClientRects().length; }"
    )
    assert line == 1

    # Enter on a touch keyboard is a new line; the list of chats is behind a button.
    await page.fill("#prompt", "a")
    await page.keyboard.press("Enter")
    await expect(page.locator("#prompt")).to_have_value("a\n")
    await expect(page.locator("#chats")).to_be_hidden()
    await page.click("#menu")
    await expect(page.locator(".open-chat")).to_have_text("Hello")
    await page.keyboard.press("Escape")
    await expect(page.locator("#chats")).to_be_hidden()


async def test_each_paragraph_has_the_direction_of_its_text(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """Arabic and Hebrew run from right to left, lists and tables too; code and math do not."""
    provider.answer(*complete(MIXED))
    page = (await chromium.tab(str(site.base_url))).page
    await ask(page, ARABIC)
    await expect(page.locator(f"{ANSWER} table")).to_be_visible()

    async def direction(selector: str) -> str:
        node = page.locator(selector).first
        found = await node.evaluate("node => getComputedStyle(node).direction")
        return str(found)

    assert await direction(f"{ANSWER} p >> nth=0") == "ltr"
    assert await direction(f"{ANSWER} p >> nth=1") == "rtl"
    assert await direction(f"{ANSWER} ul") == "rtl"
    assert await direction(f"{ANSWER} blockquote") == "rtl"
    assert await direction(f"{ANSWER} table") == "rtl"
    assert await direction(f"{ANSWER} .scroller") == "rtl"
    assert await direction(f"{ANSWER} pre") == "ltr"
    assert await direction(".turn.user .body") == "rtl"
    await page.fill("#prompt", HEBREW)
    assert await direction("#prompt") == "rtl"


async def test_the_reference_scrolls_by_keyboard(
    site: httpx2.AsyncClient, chromium: Chromium
) -> None:
    """Every area of /docs that scrolls takes the focus."""
    context = await chromium.context(viewport={"width": 500, "height": 700})
    page = (await chromium.tab(f"{site.base_url}/docs", context)).page
    await expect(page.locator("section").first).to_be_visible()
    unreachable = await page.evaluate(
        """() => [...document.querySelectorAll("*")].filter(each =>
            ["auto", "scroll"].includes(getComputedStyle(each).overflowX)
            && each.scrollWidth > each.clientWidth && each.clientWidth > 0
            && each.tabIndex < 0).map(each => each.outerHTML.slice(0, 100))"""
    )
    assert unreachable == []
    assert await page.locator(".scroller[tabindex='0']").count() > 3
    assert await page.locator("pre[tabindex='0']").count() > 10


def route(page: Page, method: str, path: str) -> Locator:
    """Return the section of a route."""
    named = f"section:has(h3 .method:text-is('{method}')):has(h3 code:text-is('{path}'))"
    return page.locator(named)


async def test_the_reference_sends_a_request(serve: Serve, chromium: Chromium) -> None:
    """A form of /docs sends a body and shows the stream; another sends a value in the path."""
    site = await serve(TOKENWIRE_DEMO_PACE="1000")
    page = (await chromium.tab(f"{site.base_url}/docs")).page
    post = route(page, "POST", "/api/stream")
    await post.locator("summary").click()
    await post.locator("textarea").fill('{"message": "Say exactly: it works"}')
    await post.get_by_role("button", name="Send").click()
    await expect(post.locator(".answer")).to_contain_text("HTTP 200")
    await expect(post.locator(".answer")).to_contain_text("[DONE]")
    await expect(post.locator(".answer")).to_contain_text('"delta":" works"')

    get = route(page, "GET", "/v1/streams/{stream_id}")
    await get.locator("summary").click()
    await get.get_by_label("stream_id").fill("..")
    await get.get_by_role("button", name="Send").click()
    await expect(get.locator(".answer")).to_contain_text("stream_id cannot be ..")
    await get.get_by_label("stream_id").fill("../../metrics")
    await get.get_by_role("button", name="Send").click()
    await expect(get.locator(".answer")).to_contain_text("HTTP 404")
    sent = await page.evaluate("performance.getEntriesByType('resource').map(each => each.name)")
    assert not any(each.endswith("/metrics") for each in sent)
