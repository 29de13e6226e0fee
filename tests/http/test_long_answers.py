"""Long answers, folded into one: the event loop goes on meanwhile."""

from __future__ import annotations

import threading

import pytest

from tests.conftest import Serve
from tests.fakes.upstream import Upstream, complete
from tokenwire.gateway.offload import SHORT, apart


@pytest.mark.parametrize(("size", "here"), [(SHORT, True), (SHORT + 1, False)])
async def test_long_answer_is_folded_in_a_thread(size: int, here: bool) -> None:
    """Only short answers are folded in the event loop."""
    found = await apart(size, threading.get_ident)

    assert (found == threading.get_ident()) is here


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/responses"])
async def test_long_answer_comes_whole(provider: Upstream, serve: Serve, path: str) -> None:
    """An answer of a megabyte comes as one, in every dialect that has one."""
    provider.answer(*complete(*("word " * 200 for _ in range(1000))))
    client = await serve(provider)
    turns = [{"role": "user", "content": "Hi"}]
    body = {"model": "openai/gpt-x", "max_tokens": 5, "messages": turns}
    if path.endswith("responses"):
        body = {"model": "openai/gpt-x", "input": "Hi"}

    response = await client.post(path, json=body)

    assert response.status_code == 200
    assert "word " * 200_000 in response.text
