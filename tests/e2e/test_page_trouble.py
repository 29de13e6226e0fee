"""What the page says when something is wrong: a sentence, and a way on."""

from __future__ import annotations

import httpx2
import pytest
from playwright.async_api import expect

from tests.conftest import Serve
from tests.e2e.conftest import ANSWER, ONE_MODEL, Chromium, ask
from tests.fakes.upstream import DONE, ROLE, STOP, Upstream, chunk, complete, text

KEY = "key-of-mine-for-the-page"


@pytest.fixture
async def locked(provider: Upstream, serve: Serve) -> httpx2.AsyncClient:
    """Start the app with a key."""
    return await serve(provider, TOKENWIRE_API_KEYS=KEY, **ONE_MODEL)


async def test_a_wrong_key_is_said_so_and_not_kept(
    locked: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """The dialog stays with a sentence; the right key then works."""
    provider.answer(*complete("welcome"))
    page = (await chromium.tab(str(locked.base_url))).page
    await expect(page.locator("#door")).to_be_visible()
    await page.keyboard.press("Enter")
    await expect(page.locator("#door-error")).to_have_text("Enter a key.")

    await page.fill("#key", "wrong")
    await page.keyboard.press("Enter")
    await expect(page.locator("#door-error")).to_have_text(
        "The server did not accept this key. Check it, and enter it again."
    )
    assert await page.evaluate("sessionStorage.getItem('key')") is None

    await page.fill("#key", KEY)
    await page.keyboard.press("Enter")
    await expect(page.locator("#door")).to_be_hidden()
    await ask(page)
    await expect(page.locator(ANSWER)).to_have_text("welcome")


async def test_escape_leaves_the_dialog_and_the_page_says_how_to_come_back(
    locked: httpx2.AsyncClient, chromium: Chromium
) -> None:
    """Esc closes it; a banner opens it again; a message without a key does too, and is kept."""
    page = (await chromium.tab(str(locked.base_url))).page
    await expect(page.locator("#door")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.locator("#door")).to_be_hidden()
    await expect(page.locator("#banner")).to_contain_text("This server needs a key.")

    await ask(page, "Hello")
    await expect(page.locator("#door")).to_be_visible()
    await page.click("#door-leave")
    await expect(page.locator(".turn.user .body")).to_have_text("Hello")
    await expect(page.locator(".note.error")).to_contain_text("This server needs a key.")
    await page.click("#banner >> text=Enter a key")
    await expect(page.locator("#door")).to_be_visible()


async def test_the_key_is_nowhere_but_in_the_tab(
    locked: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """Neither the kept chats nor localStorage have it; a new tab asks again."""
    provider.answer(*complete("x"))
    context = await chromium.context()
    page = (await chromium.tab(str(locked.base_url), context)).page
    await page.fill("#key", KEY)
    await page.keyboard.press("Enter")
    await expect(page.locator("#door")).to_be_hidden()
    await ask(page)
    await expect(page.locator(ANSWER)).to_have_text("x")
    state = await context.storage_state(indexed_db=True)

    assert KEY not in str(state)
    other = (await chromium.tab(str(locked.base_url), context)).page
    await expect(other.locator("#door")).to_be_visible()


async def test_an_empty_answer_is_said_so(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """An answer without text says that it is empty, and can be tried again."""
    provider.answer(ROLE, STOP, DONE)
    provider.answer(*complete("full"))
    page = (await chromium.tab(str(site.base_url))).page
    await ask(page)
    await expect(page.locator(".note.error")).to_contain_text("The model sent an empty answer.")

    await page.click(".note >> text=Try again")

    await expect(page.locator(ANSWER)).to_have_text("full")


async def test_reasoning_without_an_answer_is_said_so(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """A model that only thought has not answered."""
    provider.answer(chunk({"role": "assistant", "reasoning_content": "Hm."}), STOP, DONE)
    page = (await chromium.tab(str(site.base_url))).page
    await ask(page)

    await expect(page.locator(".note.error")).to_contain_text("its reasoning, but no answer")


async def test_the_length_limit_is_said_and_the_answer_continues(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """An answer that was cut off can be continued."""
    provider.answer(ROLE, text("One, two"), chunk(finish="length"), DONE)
    provider.answer(*complete(", three."))
    page = (await chromium.tab(str(site.base_url))).page
    await ask(page)
    await expect(page.locator(".note")).to_contain_text("reached the length limit")

    await page.click(".note >> text=Continue")

    await expect(page.locator(ANSWER)).to_have_text("One, two, three.")


async def test_offline_is_said_and_the_message_is_kept(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """Without a network the page says so; once there is one, Try again sends the message."""
    provider.answer(*complete("back"))
    context = await chromium.context()
    page = (await chromium.tab(str(site.base_url), context)).page
    await expect(page.locator("#model")).to_be_enabled()
    await context.set_offline(True)
    await expect(page.locator("#offline")).to_be_visible()
    await ask(page, "Hello")
    await expect(page.locator(".note.error")).to_contain_text("You are offline.")
    await expect(page.locator(".turn.user .body")).to_have_text("Hello")

    await context.set_offline(False)
    await expect(page.locator("#offline")).to_be_hidden()
    await page.click(".note >> text=Try again")

    await expect(page.locator(ANSWER)).to_have_text("back")


async def test_a_server_that_is_gone_is_said_so(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """A page whose server does not answer shows an error, and tries again on a click."""
    page = (await chromium.tab(str(site.base_url))).page
    await expect(page.locator("#model")).to_be_enabled()
    await page.route("**/v1/models", lambda route: route.abort())
    await page.reload()
    await expect(page.locator("#banner")).to_contain_text("The server cannot be reached.")
    await page.unroute("**/v1/models")

    await page.click("#banner >> text=Try again")

    await expect(page.locator("#model")).to_be_enabled()
    await expect(page.locator("#banner")).to_be_empty()


async def test_a_refused_request_shows_the_server_s_sentence(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """What the provider refuses is shown, with ways on, and nothing is thrown."""
    provider.answer(b'{"error":{"message":"bad image","type":"invalid_request_error"}}', status=400)
    page = (await chromium.tab(str(site.base_url))).page
    await ask(page)

    note = page.locator(".note.error")
    await expect(note).to_be_visible()
    assert (await note.inner_text()).split(" Try again")[0].strip().endswith(".")
    await expect(page.locator("#send")).to_be_visible()
