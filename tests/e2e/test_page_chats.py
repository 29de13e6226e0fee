"""Chats on the page: edit, regenerate, continue; and what the browser keeps of them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx2
import pytest
from playwright.async_api import Page, expect

from tests.e2e.conftest import ANSWER, Chromium, ask, is_kept
from tests.fakes.upstream import DONE, ROLE, STOP, Act, Upstream, chunk, complete, text

FAILURE = b'data: {"error":{"type":"overloaded_error","message":"Overloaded"}}\n\n'


async def answered(page: Page, prompt: str, answer: str) -> None:
    """Send a message, and wait for its answer."""
    await ask(page, prompt)
    await expect(page.locator(ANSWER).last).to_have_text(answer)
    await expect(page.locator("#send")).to_be_visible()


async def test_a_message_is_edited_and_both_versions_are_kept(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """An edited message gets an answer of its own; the first version has its turns still."""
    for each in ("one", "two", "three"):
        provider.answer(*complete(each))
    page = (await chromium.tab(str(site.base_url))).page
    await answered(page, "First", "one")
    await answered(page, "Second", "two")

    await page.click(".turn.user >> nth=0 >> text=Edit")
    await page.keyboard.press("Escape")
    await expect(page.locator(".edit")).to_have_count(0)
    await page.click(".turn.user >> nth=0 >> text=Edit")
    await page.fill(".edit textarea", "Changed")
    await page.click(".edit >> text=Send")
    await expect(page.locator(ANSWER)).to_have_text("three")

    assert provider.requests[2].json["messages"] == [{"role": "user", "content": "Changed"}]
    await expect(page.locator(".turn.user .body")).to_have_text("Changed")
    await page.click(".turn.user [aria-label='Previous version']")
    await expect(page.locator(".turn.user .body")).to_have_text(["First", "Second"])
    await expect(page.locator(ANSWER)).to_have_text(["one", "two"])


async def test_an_answer_is_regenerated_and_both_are_kept(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """Regenerate sends the same messages again; the arrows lead to the first answer."""
    provider.answer(*complete("one"))
    provider.answer(*complete("two"))
    page = (await chromium.tab(str(site.base_url))).page
    await answered(page, "Hi", "one")

    await page.click("text=Regenerate")
    await expect(page.locator(ANSWER)).to_have_text("two")

    assert provider.requests[0].json["messages"] == provider.requests[1].json["messages"]
    await expect(page.locator(".turn.assistant .versions")).to_contain_text("2 / 2")
    await page.click("[aria-label='Previous version']")
    await expect(page.locator(ANSWER)).to_have_text("one")


async def test_an_answer_continues_after_an_error(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """Continue keeps the partial answer, sends it along, and appends what comes."""
    provider.answer(ROLE, text("The first half"), FAILURE)
    provider.answer(*complete(" and the second."))
    page = (await chromium.tab(str(site.base_url))).page
    await ask(page)
    await expect(page.locator(".note.error")).to_be_visible()
    await expect(page.locator(ANSWER)).to_have_text("The first half")

    await page.click(".note >> text=Continue")

    await expect(page.locator(ANSWER)).to_have_text("The first half and the second.")
    await expect(page.locator(".note")).to_have_count(0)
    sent = provider.requests[1].json["messages"]
    assert [each["role"] for each in sent] == ["user", "assistant", "user"]
    assert sent[1]["content"] == "The first half"


async def test_a_stopped_answer_continues(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """What was stopped is kept, and can be continued too."""
    provider.answer(ROLE, text("half"), Act.STALL)
    provider.answer(*complete(" whole"))
    page = (await chromium.tab(str(site.base_url))).page
    await ask(page)
    await expect(page.locator(ANSWER)).to_have_text("half")
    await page.click("#stop")

    await page.click(".note >> text=Continue")

    await expect(page.locator(ANSWER)).to_have_text("half whole")


async def test_messages_and_answers_are_copied(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """Copy of an answer is its markdown; of a message, its text."""
    provider.answer(*complete("**bold** and `code`"))
    context = await chromium.context(permissions=["clipboard-read", "clipboard-write"])
    page = (await chromium.tab(str(site.base_url), context)).page
    await answered(page, "A *message*", "bold and code")

    await page.click("[aria-label='Copy answer']")
    await expect(page.locator("[aria-label='Copy answer']")).to_have_text("Copied")
    assert await page.evaluate("navigator.clipboard.readText()") == "**bold** and `code`"
    await page.click("[aria-label='Copy message']")
    await expect(page.locator("[aria-label='Copy message']")).to_have_text("Copied")
    assert await page.evaluate("navigator.clipboard.readText()") == "A *message*"


async def test_chats_are_kept_found_and_opened(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """A new chat keeps the old one; both are in the list, by title, and found by their words."""
    provider.answer(*complete("Paris"))
    provider.answer(*complete("Berlin"))
    context = await chromium.context()
    page = (await chromium.tab(str(site.base_url), context)).page
    await answered(page, "Capital of France", "Paris")
    await page.click("#new")
    await expect(page.locator("#empty")).to_be_visible()
    await answered(page, "Capital of Germany", "Berlin")
    await is_kept(page)

    # Another tab, later.
    later = (await chromium.tab(str(site.base_url), context)).page
    titles = later.locator(".open-chat")
    await expect(titles).to_have_text(["Capital of Germany", "Capital of France"])
    await expect(later.locator("#empty")).to_be_visible()
    await later.fill("#search-chats", "paris")
    await expect(titles).to_have_text(["Capital of France"])
    await titles.first.click()
    await expect(later.locator(ANSWER)).to_have_text("Paris")
    await later.fill("#search-chats", "madrid")
    await expect(later.locator("#chat-none")).to_have_text("No chat has these words.")
    await later.go_back()
    await expect(later.locator("#empty")).to_be_visible()
    assert len(provider.requests) == 2


async def test_a_chat_is_renamed_and_deleted_after_a_question(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """Delete asks first; Cancel and Esc keep the chat."""
    provider.answer(*complete("one"))
    page = (await chromium.tab(str(site.base_url))).page
    await answered(page, "Hello there", "one")
    await page.click(".more summary")
    await page.click(".more >> text=Rename")
    await page.fill("#prompt-value", "My chat")
    await page.click("#prompt-dialog >> text=Save")
    await expect(page.locator(".open-chat")).to_have_text("My chat")
    assert await page.title() == "My chat · tokenwire"

    for leave in ("Escape", "Enter"):  # the focus is on Cancel
        await page.click(".more summary")
        await page.click(".more >> text=Delete")
        await expect(page.locator("#confirm")).to_contain_text("Delete “My chat”?")
        await page.keyboard.press(leave)
        await expect(page.locator("#confirm")).to_be_hidden()
        await expect(page.locator(".open-chat")).to_have_text("My chat")
    await page.click(".more summary")
    await page.click(".more >> text=Delete")
    await page.click("#confirm-yes")

    await expect(page.locator(".open-chat")).to_have_count(0)
    await expect(page.locator("#empty")).to_be_visible()
    await page.reload()
    await expect(page.locator("#chat-none")).to_be_visible()


async def test_deleting_a_chat_stops_its_answer(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """The generation of a deleted chat is cancelled, and the chat does not come back."""
    provider.answer(ROLE, text("going on"), Act.STALL)
    page = (await chromium.tab(str(site.base_url))).page
    await ask(page)
    await expect(page.locator(ANSWER)).to_have_text("going on")

    await page.click("#delete-all")
    await page.click("#confirm-yes")

    await asyncio.wait_for(provider.requests[0].closed.wait(), 5)
    await expect(page.locator(".open-chat")).to_have_count(0)
    await page.reload()
    await expect(page.locator("#chat-none")).to_be_visible()


@pytest.mark.parametrize(("label", "end"), [("Markdown", ".md"), ("JSON", ".json")])
async def test_a_chat_is_exported(
    label: str,
    end: str,
    site: httpx2.AsyncClient,
    provider: Upstream,
    chromium: Chromium,
    tmp_path: Path,
) -> None:
    """Markdown has what is shown, JSON every version."""
    provider.answer(*complete("**one**"))
    page = (await chromium.tab(str(site.base_url))).page
    await answered(page, "Hello", "one")
    await page.click(".more summary")
    await page.click(".more >> text=Export")
    async with page.expect_download() as download:
        await page.get_by_role("button", name=label, exact=True).click()
    found = await download.value
    await found.save_as(tmp_path / "found")
    content = (tmp_path / "found").read_text()

    assert found.suggested_filename == f"Hello{end}"
    if end == ".md":
        assert content == "# Hello\n\n## You\n\nHello\n\n## Answer\n\n**one**\n"
    else:
        chat = json.loads(content)
        assert [node["text"] for node in chat["nodes"].values()] == ["Hello", "**one**"]


async def test_a_draft_survives_a_reload(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """What is written and not sent is there after a reload, for each chat its own."""
    provider.answer(*complete("one"))
    page = (await chromium.tab(str(site.base_url))).page
    await page.fill("#prompt", "not sent yet\nwith two lines")
    await page.reload()
    await expect(page.locator("#prompt")).to_have_value("not sent yet\nwith two lines")
    await answered(page, "sent", "one")
    await expect(page.locator("#prompt")).to_have_value("")
    await page.fill("#prompt", "for this chat")
    await page.click("#new")
    await expect(page.locator("#prompt")).to_have_value("")
    await page.click(".open-chat")
    await expect(page.locator("#prompt")).to_have_value("for this chat")


async def test_an_answer_goes_on_while_another_chat_is_shown(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """Two chats answer at a time; each shows its own."""
    gate = asyncio.Event()
    provider.answer(ROLE, text("slow "), gate, text("end"), STOP, DONE)
    provider.answer(*complete("quick"))
    page = (await chromium.tab(str(site.base_url))).page
    await ask(page, "Slow")
    await expect(page.locator(ANSWER)).to_have_text("slow")
    await page.click("#new")
    await answered(page, "Quick", "quick")
    gate.set()

    await page.click(".open-chat >> text=Slow")
    await expect(page.locator(ANSWER)).to_have_text("slow end")
    assert len(provider.requests) == 2


async def test_results_of_a_tool_call_go_back_to_the_model(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """A call is folded, with a field for its result; the model then answers."""
    call = {"index": 0, "id": "c1", "function": {"name": "weather", "arguments": '{"city":"Oslo"}'}}
    provider.answer(ROLE, chunk({"tool_calls": [call]}), chunk(finish="tool_calls"), DONE)
    provider.answer(*complete("It is sunny."))
    page = (await chromium.tab(str(site.base_url))).page
    await ask(page, "Weather?")
    await expect(page.locator(".call summary")).to_have_text("Tool call: weather")
    assert await page.get_attribute(".call", "open") is None
    await page.click(".call summary")
    await expect(page.locator(".call code")).to_have_text('{\n  "city": "Oslo"\n}')

    await page.get_by_label("Result of weather").fill("sunny")
    await page.click("text=Send the result")

    await expect(page.locator(ANSWER).last).to_have_text("It is sunny.")
    sent = provider.requests[1].json["messages"]
    assert [each["role"] for each in sent] == ["user", "assistant", "tool"]
    assert sent[2] == {"role": "tool", "tool_call_id": "c1", "content": "sunny"}


async def test_reasoning_is_folded(
    site: httpx2.AsyncClient, provider: Upstream, chromium: Chromium
) -> None:
    """The reasoning is there, closed, and stays open once it is opened."""
    gate = asyncio.Event()
    thought = chunk({"role": "assistant", "reasoning_content": "Let me think."})
    provider.answer(thought, gate, text("Yes."), STOP, DONE)
    page = (await chromium.tab(str(site.base_url))).page
    await ask(page)
    await expect(page.locator(".reasoning summary")).to_have_text("Thinking…")
    await expect(page.locator(".reasoning p")).to_be_hidden()
    await page.click(".reasoning summary")
    gate.set()

    await expect(page.locator(".reasoning summary")).to_have_text("Reasoning")
    await expect(page.locator(".reasoning p")).to_have_text("Let me think.")
    await expect(page.locator(".reasoning p")).to_be_visible()
