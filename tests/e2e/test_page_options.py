"""What goes with a message: the model, the settings of the chat, images and files."""

from __future__ import annotations

import base64

import httpx2
import pytest
from playwright.async_api import FilePayload, Page, expect

from tests.conftest import Serve
from tests.e2e.conftest import ANSWER, Chromium, ask, is_kept
from tests.fakes.upstream import Upstream, complete

PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)


async def test_the_picker_is_searched_by_keyboard(serve: Serve, chromium: Chromium) -> None:
    """Models are grouped by provider, a search narrows them, Enter chooses; a reload keeps it."""
    site = await serve()
    page = (await chromium.tab(str(site.base_url))).page
    await expect(page.locator("#model-name")).to_have_text("demo/markdown")
    await page.click("#model")
    await expect(page.locator("#model-list [role=group]")).to_have_attribute("aria-label", "demo")
    options = page.locator("#model-list [role=option]")
    assert await options.count() > 3

    await page.keyboard.type("RE demo")
    await expect(options).to_have_text(["reason"])
    await page.keyboard.press("Backspace")
    await page.fill("#search-models", "nothing like it")
    await expect(page.locator("#model-none")).to_be_visible()
    await page.keyboard.press("Enter")
    await page.fill("#search-models", "")
    await page.keyboard.press("ArrowDown")
    active = await page.get_attribute("#search-models", "aria-activedescendant")
    chosen = await page.get_attribute(f"#{active}", "data-name")
    await page.keyboard.press("Enter")

    await expect(page.locator("#picker")).to_be_hidden()
    await expect(page.locator("#model-name")).to_have_text(chosen or "")
    await page.reload()
    await expect(page.locator("#model-name")).to_have_text(chosen or "")
    assert chosen != "demo/markdown"


async def test_the_picker_says_which_providers_are_off(serve: Serve, chromium: Chromium) -> None:
    """The providers without a key are listed with the reason, and prices are not claimed."""
    site = await serve()
    page = (await chromium.tab(str(site.base_url))).page
    await page.click("#model")
    await page.click("#model-off summary")

    await expect(page.locator("#model-off-list")).to_contain_text("OPENAI_API_KEY is not set")
    await expect(page.locator("#picker")).to_contain_text("The server does not know prices")
    await page.keyboard.press("Escape")
    await expect(page.locator("#picker")).to_be_hidden()


async def test_settings_go_with_each_request_of_their_chat(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """The system prompt and the parameters are sent, kept over a reload, and of this chat only."""
    provider.answer(*complete("one"))
    page = (await chromium.tab(str(site.base_url))).page
    await page.click("#settings-open")
    await page.fill("#set-system", "Be brief.")
    await page.fill("#set-temperature", "0.2")
    await page.fill("#set-max_tokens", "100")
    await page.select_option("#set-reasoning_effort", "low")
    await page.click("#settings >> text=Save")
    await ask(page)
    await expect(page.locator(ANSWER)).to_have_text("one")
    await expect(page.locator("#send")).to_be_visible()
    await is_kept(page)
    await page.reload()
    await ask(page, "Again")
    await expect(page.locator(ANSWER)).to_have_count(2)
    await page.click("#new")
    await ask(page, "New")
    await expect(page.locator(ANSWER)).to_have_text("one")

    first, second, third = (request.json for request in provider.requests)
    for body in (first, second):
        assert body["messages"][0] == {"role": "system", "content": "Be brief."}
        assert body["temperature"] == 0.2
        assert body["reasoning_effort"] == "low"
        assert 100 in (body.get("max_tokens"), body.get("max_completion_tokens"))
    assert third["messages"] == [{"role": "user", "content": "New"}]
    assert "temperature" not in third


WRONG = [
    ("temperature", "3", "temperature must be a number from 0 to 2."),
    ("temperature", "warm", "temperature must be a number from 0 to 2."),
    ("temperature", "", ""),
    ("top_p", "-1", "top_p must be a number from 0 to 1."),
    ("top_p", "0.5", ""),
    ("max_tokens", "1.5", "max_tokens must be a whole number."),
    ("max_tokens", "", ""),
    ("tools", "[", "The tools are not valid JSON."),
    ("tools", "{}", "The tools must be a JSON array."),
]


async def test_impossible_settings_are_reported(page: Page) -> None:
    """The dialog stays open with a sentence that names the field; Esc leaves it."""
    await page.click("#settings-open")
    await page.click("#settings summary")
    for field, value, sentence in WRONG:
        await page.fill(f"#set-{field}", value)
        if sentence:
            await page.click("#settings >> text=Save")
            await expect(page.locator("#settings-error")).to_have_text(sentence)
    await page.keyboard.press("Escape")
    await expect(page.locator("#settings")).to_be_hidden()


@pytest.fixture
async def page(serve: Serve, chromium: Chromium) -> Page:
    """Open the page of a demo server."""
    site = await serve()
    return (await chromium.tab(str(site.base_url))).page


async def test_images_and_files_are_sent_and_kept(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """An image is sent as an image, a text as text, a PDF as a file; a reload shows them still."""
    provider.answer(*complete("seen"))
    page = (await chromium.tab(str(site.base_url))).page
    files: list[FilePayload] = [
        {"name": "dot.png", "mimeType": "image/png", "buffer": PNG},
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"my notes"},
        {"name": "paper.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7"},
        {"name": "extra.txt", "mimeType": "text/plain", "buffer": b"not wanted"},
    ]
    await page.set_input_files("#file", files)
    await page.click("[aria-label='Remove extra.txt']")
    await expect(page.locator("#files li")).to_have_count(3)
    await ask(page, "Look")
    await expect(page.locator(ANSWER)).to_have_text("seen")
    await is_kept(page)
    await page.reload()

    await expect(page.locator(".turn.user .files")).to_contain_text("notes.txt")
    image = page.locator(".turn.user img")
    await expect(image).to_have_attribute("alt", "dot.png")
    assert await image.evaluate("image => image.decode().then(() => image.naturalWidth)") == 1
    content = provider.requests[0].json["messages"][0]["content"]
    assert content[0] == {"type": "text", "text": "Look"}
    assert content[1]["image_url"]["url"].startswith("data:image/png;base64,iVBOR")
    assert content[2] == {"type": "text", "text": "notes.txt:\n\nmy notes"}
    assert content[3]["file"]["filename"] == "paper.pdf"


async def test_a_file_that_is_too_large_is_refused(page: Page) -> None:
    """More than 5 MB is refused with a message, and not sent."""
    large: FilePayload = {
        "name": "a.txt",
        "mimeType": "text/plain",
        "buffer": b"x" * (5 * 2**20 + 1),
    }
    await page.set_input_files("#file", [large])
    await expect(page.locator("#notice")).to_have_text("a.txt has more than 5 MB.")
    await expect(page.locator("#files")).to_be_hidden()
