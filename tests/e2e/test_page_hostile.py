"""The page against hostile links, messages and answers, in Chromium.

Every request of the page is recorded, including blocked ones. Except for the requests that display
the page, there may be none that its user did not start.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

import httpx2
import pytest
from playwright.async_api import Page, Request, expect

from tests.e2e.conftest import ANSWER, Chromium, ask, is_kept
from tests.fakes.upstream import DONE, ROLE, STOP, Upstream, chunk, complete, text

# Requests that display the page.
FILES = {"/", "/app.js", "/tokenwire.js", "/style.css", "/favicon.svg"}
FILES |= {"/markdown.js", "/highlight.js", "/math.js"}
PLAIN = FILES | {"/v1/models"}
ELSEWHERE = "https://evil.test"


@dataclass
class Wire:
    """The requests of a page."""

    paths: list[str] = field(default_factory=list)

    def note(self, request: Request) -> None:
        """Record a request: its path and query, or the full URL if it has another origin."""
        url = urlsplit(request.url)
        query = f"?{url.query}" if url.query else ""
        local = url.hostname in ("127.0.0.1", "localhost")
        method = "" if request.method == "GET" else f"{request.method} "
        self.paths.append(method + (url.path + query if local else request.url))

    @property
    def others(self) -> list[str]:
        """Return the requests that do not belong to displaying the page."""
        return [path for path in self.paths if path not in PLAIN]


async def opened(chromium: Chromium, url: str) -> tuple[Page, Wire]:
    """Open a tab at this address, with all requests recorded."""
    context = await chromium.context()
    wire = Wire()
    context.on("request", wire.note)
    return (await chromium.tab(url, context)).page, wire


async def settled(page: Page) -> None:
    """Wait until the page is idle, with images, styles and speculation done."""
    await page.wait_for_load_state("networkidle")


SPEND = "/api/stream?prompt=spend"
LINKS = [
    f"/v1/streams/../..{SPEND}",
    f"/v1/streams/..%2f..{SPEND}",
    f"/v1/streams/%2e%2e/%2e%2e{SPEND}",
    f"/v1/streams/.%2e/%2E./{SPEND}",
    f"/v1/streams/\\..\\..{SPEND}",
    f"/v1/streams/st_x/../../..{SPEND}&ticket=1",
    f"/v1/streams/st_x?ticket=1/../../../..{SPEND}",
    "/v1/streams/st_x?ticket=1&model=openai/gpt-x",
    "/v1/streams/st_x/cancel?ticket=1",
    "/V1/STREAMS/st_x?ticket=1",
    "/v1/streams/st_\u0445?ticket=1",
    "/v1/streams/st_x\uff1fticket=1",
    "/v1/streams/\t../\n../api/stream?prompt=spend",
    f"{ELSEWHERE}/v1/streams/st_x?ticket=1",
    "//evil.test/v1/streams/st_x?ticket=1",
    "/\\evil.test/v1/streams/st_x?ticket=1",
    "http:evil.test/v1/streams/st_x?ticket=1",
    "javascript:fetch('/api/stream?prompt=spend')",
    f"data:text/html,<img src={ELSEWHERE}>",
    "/v1/models",
    "x",
]


async def test_no_link_starts_a_request(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """A link that is not a share link shows a message and sends no request."""
    page, wire = await opened(chromium, str(site.base_url))
    written = [quote(link, safe="") for link in LINKS] + [quote(link) for link in LINKS]
    for number, fragment in enumerate([*written, *(quote(each, safe="") for each in written)]):
        await page.goto(f"{site.base_url}/?{number}#watch={fragment}")
        await expect(page.locator(".note")).to_contain_text("This link is not valid.")
        assert [path for path in wire.others if not path.startswith("/?")] == [], fragment

    assert provider.requests == []


@pytest.mark.parametrize(
    "fragment",
    [
        "",
        "watch=",
        "watch",
        "url=/api/stream?prompt=spend",
        "prompt=spend",
        "/api/stream?prompt=spend",
        ":~:text=x",
        "__proto__[watch]=/v1/streams/st_x",
    ],
)
async def test_other_fragments_start_nothing(
    fragment: str, site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """Other fragments are ignored."""
    for address in (f"/#{fragment}", f"/?prompt=spend&model=openai/gpt-x#{fragment}"):
        page, wire = await opened(chromium, f"{site.base_url}{address}")
        await settled(page)
        assert [path for path in wire.others if not path.startswith("/?")] == []

    assert provider.requests == []


async def test_a_share_link_fetches_its_stream_alone(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """A share link reads one stream with its ticket, and never sends a POST."""
    link = "/v1/streams/st_unknown?ticket=1.1.x"
    page, wire = await opened(chromium, f"{site.base_url}/#watch={quote(link, safe='')}")
    await expect(page.locator(".note")).to_be_visible()

    assert set(wire.others) == {link}
    assert provider.requests == []


EVIL = [
    f"![i]({ELSEWHERE}/a.png) ![i](/api/stream?prompt=spend) ![i](data:image/svg+xml,<svg/>)",
    f"<img src={ELSEWHERE}/b.png srcset='{ELSEWHERE}/c.png 2x'> <img src=x onerror=fetch('/d')>",
    f"<script src={ELSEWHERE}/e.js></script><script>fetch('/api/stream?prompt=spend')</script>",
    f"<iframe src={ELSEWHERE}/f srcdoc='<script>fetch(1)</script>'></iframe><embed src=/g>",
    f"<object data={ELSEWHERE}/h></object><video src=/i poster=/j autoplay></video><audio src=/k>",
    f"<link rel=stylesheet href={ELSEWHERE}/l.css><link rel=prefetch href=/m>",
    "<link rel=icon href=/n><link rel=modulepreload href=/n.js>",
    f"<link rel=preconnect href={ELSEWHERE}><link rel=dns-prefetch href=//evil.test>",
    f"<style>@import '{ELSEWHERE}/o.css'; body {{ background: url({ELSEWHERE}/p.png) }}</style>",
    f"<p style='background:url({ELSEWHERE}/q.png)'>x</p><body background={ELSEWHERE}/r>",
    f"<base href={ELSEWHERE}/><a href=s ping={ELSEWHERE}/t>x</a>",
    f"<meta http-equiv=refresh content='0;url={ELSEWHERE}/u'>",
    f"<svg onload=fetch('/v')><image href={ELSEWHERE}/w /><use href={ELSEWHERE}/x#y /></svg>",
    f"<form action={ELSEWHERE}/y><input type=image src=/z autofocus onfocus=fetch('/z')></form>",
    f"[x](javascript:fetch('/a')) [x](data:text/html,x) [x](//evil.test) [x]({ELSEWHERE})",
    "[x](JaVaScRiPt:fetch('/a')) [x](\x01javascript:fetch(1)) [x](&#106;avascript:fetch(1))",
    f"[`a`]({ELSEWHERE}/'onmouseover=fetch('/b')) <{ELSEWHERE}/auto> {ELSEWHERE}/bare",
    f"[ref]\n\n[ref]: {ELSEWHERE}/ref\n\n![ref]",
    f"```html\n<img src={ELSEWHERE}/code>\n```\n| <img src=/t> |\n| --- |\n| ![i]({ELSEWHERE}) |",
    f"# <img src={ELSEWHERE}/h1>\n> <img src={ELSEWHERE}/q>\n- <img src={ELSEWHERE}/li>",
    '<script type="speculationrules">{"prefetch":[{"source":"list","urls":["/sp"]}]}</script>',
    "\u202e<img src=/rtl>\u2028<img src=/ls>\x00<img src=/nul>",
]


async def test_no_answer_starts_a_request(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """Text, thinking, tool calls and errors from a provider are shown and ask for nothing."""
    for evil in EVIL:
        call = {"index": 0, "id": evil, "function": {"name": evil, "arguments": json.dumps(evil)}}
        provider.answer(
            chunk({"role": "assistant", "reasoning_content": evil}),
            *(text(evil[n : n + 7]) for n in range(0, len(evil), 7)),
            chunk({"tool_calls": [call]}),
            STOP,
            DONE,
        )
    page, wire = await opened(chromium, str(site.base_url))
    for turn, evil in enumerate(EVIL, 1):
        # What the user pastes is no better than what the model says.
        await ask(page, evil)
        await expect(page.locator(ANSWER)).to_have_count(turn)
        await expect(page.locator("#send")).to_be_visible()
    await page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
    await settled(page)

    assert wire.others == ["POST /api/stream"] * len(EVIL)
    assert len(provider.requests) == len(EVIL)
    found = await page.locator("#log").evaluate(
        """log => [...log.querySelectorAll('*')].flatMap(node => [
            node.localName, ...node.getAttributeNames().map(name => `${node.localName}@${name}`)
        ])"""
    )
    assert "a@href" in found
    assert not set(found) & {
        *("img", "script", "iframe", "embed", "object", "video", "audio", "link", "style", "base"),
        *("meta", "svg", "image", "use", "form", "input", "a@ping", "p@style", "div@style"),
    }
    links = await page.locator("#log a").evaluate_all("all => all.map(a => a.href)")
    assert {urlsplit(link).scheme for link in links} == {"https"}


async def test_a_reload_shows_it_again_and_asks_for_nothing(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """A kept conversation is as harmless as a running one."""
    provider.answer(*complete("\n\n".join(EVIL)))
    page, wire = await opened(chromium, str(site.base_url))
    await ask(page)
    await expect(page.locator("#send")).to_be_visible()
    await is_kept(page)
    wire.paths.clear()

    await page.reload()
    await expect(page.locator(ANSWER)).to_have_count(1)
    await settled(page)

    assert wire.others == []


async def test_a_call_with_an_absurd_number_does_not_stop_the_page(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """A provider numbers its calls as it likes; the page shows a hundred of them."""
    calls = [{"index": 2**31 - n, "id": f"c{n}", "function": {"name": f"f{n}"}} for n in range(150)]
    provider.answer(ROLE, *(chunk({"tool_calls": [call]}) for call in calls), STOP, DONE)
    page, _ = await opened(chromium, str(site.base_url))
    await ask(page)

    await expect(page.locator("#send")).to_be_visible()
    await expect(page.locator(".call")).to_have_count(100)


@pytest.mark.parametrize("source", [">" * 4000 + " deep", "> - " * 4000 + "deep", "[" * 30_000])
async def test_deep_markdown_shows(
    source: str, site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """Nesting of 4,000 levels neither overflows the page nor loses the answer."""
    provider.answer(*complete(source, " end"))
    page, _ = await opened(chromium, str(site.base_url))
    await ask(page)

    await expect(page.locator(ANSWER)).to_contain_text(" end")
    await expect(page.locator("#send")).to_be_visible()
    await expect(page.locator(".note")).to_have_count(0)


async def test_the_policy_blocks_what_a_script_would_do(
    site: httpx2.AsyncClient, chromium: Chromium
) -> None:
    """Were there a way in, the policy would still forbid other origins, markup and frames."""
    page, wire = await opened(chromium, str(site.base_url))
    await settled(page)
    expected = ["connect-src", "img-src", "frame-src", "base-uri", "innerHTML", "style-src-attr"]
    blocked = await page.evaluate(
        """async ([elsewhere, expected]) => {
            const seen = [];
            const note = event => seen.push(event.effectiveDirective);
            document.addEventListener("securitypolicyviolation", note);
            const add = (name, fields) =>
                document.body.append(Object.assign(document.createElement(name), fields));
            await fetch(elsewhere).catch(() => {});
            add("img", { src: elsewhere });
            add("img", { src: "data:,x" });
            add("iframe", { src: elsewhere });
            add("base", { href: elsewhere });
            document.body.setAttribute("style", "color: red");
            try { document.body.innerHTML = "<p>"; } catch { seen.push("innerHTML"); }
            for (let tries = 0; tries < 500 && !expected.every(one => seen.includes(one)); tries++)
                await new Promise(resolve => setTimeout(resolve, 10));
            return seen;
        }""",
        [ELSEWHERE, expected],
    )

    assert set(expected) <= set(blocked)
    assert not [path for path in wire.paths if "evil" in path and "favicon" in path]
    chromium.tabs.clear()  # this test causes the policy's reports
