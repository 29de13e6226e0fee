"""What the tests of all examples share: a browser, and what a chat must do in it."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
from playwright.async_api import Page, expect

from tests.e2e.conftest import browser_url, chromium, provider
from tests.fakes.node import NODE
from tests.fakes.upstream import DONE, ROLE, STOP, Act, Upstream, text

__all__ = ["browser_url", "chromium", "provider"]

EXAMPLES = Path("examples").absolute()


async def drive(page: Page, provider: Upstream, *, remembers: bool = True) -> None:
    """A chat streams, resumes after a reload in mid-answer, and stops: each provider call once.

    Args:
        page: The example's page.
        provider: What its server calls.
        remembers: Whether a question is sent with the turns before it.
    """
    second, third = asyncio.Event(), asyncio.Event()
    provider.answer(ROLE, text("one "), second, text("two "), third, text("three"), STOP, DONE)
    provider.answer(ROLE, text("going on"), Act.STALL)
    answers = page.locator('[data-role="assistant"]')

    await ask(page, "Hi")
    await expect(answers).to_have_text("one ")
    second.set()
    await expect(answers).to_have_text("one two ")

    await page.reload()
    await expect(answers).to_have_text("one two ")
    third.set()
    await expect(answers).to_have_text("one two three")
    await expect(page.get_by_role("button", name="Send")).to_be_visible()
    assert len(provider.requests) == 1

    await ask(page, "More")
    await expect(answers.last).to_have_text("going on")
    await page.get_by_role("button", name="Stop").click()
    await asyncio.wait_for(provider.requests[1].closed.wait(), 5)
    await expect(page.get_by_role("button", name="Send")).to_be_visible()
    turns = [turn["content"] for turn in provider.requests[1].json["messages"]]
    assert turns == (["Hi", "one two three", "More"] if remembers else ["More"])
    assert len(provider.requests) == 2


async def ask(page: Page, question: str) -> None:
    """Type a question and send it."""
    await page.get_by_role("textbox").fill(question)
    await page.get_by_role("textbox").press("Enter")


def free_port() -> int:
    """Return a port that was free a moment ago, for a program that takes no port 0."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def copied(name: str, to: Path) -> Path:
    """Copy an example without what its tools have made; return the copy."""
    made = shutil.ignore_patterns("node_modules", "dist", ".next", ".venv")
    return Path(shutil.copytree(EXAMPLES / name, to / name, ignore=made))


@asynccontextmanager
async def running(
    *command: str | Path, at: Path, url: str, environ: Mapping[str, str] | None = None
) -> AsyncIterator[str]:
    """Run a program until the context ends; yield this URL of it once it answers."""
    path = f"{NODE.parent}{os.pathsep}{os.environ['PATH']}"
    process = await asyncio.create_subprocess_exec(
        *command,
        cwd=at,
        env={**os.environ, "PATH": path, **(environ or {})},
        stdout=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        await _answers(process, url)
        yield url
    finally:
        if process.returncode is None:
            os.killpg(process.pid, 15)
        await process.wait()


async def _answers(process: asyncio.subprocess.Process, url: str) -> None:
    async with httpx2.AsyncClient(trust_env=False) as client, asyncio.timeout(60):
        while True:
            assert process.returncode is None, f"{url} has ended with {process.returncode}"
            try:
                await client.get(url)
                return
            except httpx2.TransportError:
                await asyncio.sleep(0.05)
