"""A store of another package, through the public HTTP API of two apps."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import Serve
from tests.fakes.plugins import installed, package
from tests.fakes.upstream import DONE, ROLE, STOP, Upstream, text
from tests.http.reading import read, text_of
from tests.plugins import toy_store
from tokenwire.errors import ProxyError
from tokenwire.settings import load

ASK = {"message": "x", "model": "openai/m"}


@pytest.fixture(autouse=True)
def toy(tmp_path: Path) -> Iterator[None]:
    """The toy as an installed package."""
    package(
        tmp_path, "toy-store", {"tokenwire.stores": {"toy": "tests.plugins.toy_store:KIND"}}, {}
    )
    with installed(tmp_path):
        yield
    toy_store.ROOMS.clear()


async def test_stream_is_resumed_through_the_toy_store(provider: Upstream, serve: Serve) -> None:
    """What one app runs, another reads from any id on, and cancels."""
    gate = asyncio.Event()
    provider.answer(ROLE, text("one "), gate, text("two"), STOP, DONE)
    here = await serve(provider, TOKENWIRE_STORE="toy://shared")
    there = await serve(None, TOKENWIRE_STORE="toy://shared")
    assert (await there.get("/readyz")).json()["store"] == "ok"
    stream = (await here.post("/v1/streams", json=ASK)).json()["id"]
    watching = asyncio.create_task(there.get(f"/v1/streams/{stream}"))
    gate.set()
    everything = (await watching).content
    assert text_of(everything) == "one two"
    ids = [last for last, _ in read(everything)]
    rest = await there.get(f"/v1/streams/{stream}", headers={"last-event-id": ids[1]})
    assert read(rest.content) == read(everything)[2:]
    assert len(provider.requests) == 1


async def test_other_app_cancels(provider: Upstream, serve: Serve) -> None:
    """A cancel at one app ends the stream that the other one runs."""
    provider.answer(ROLE, text("one "), asyncio.Event())
    here = await serve(provider, TOKENWIRE_STORE="toy://shared")
    there = await serve(None, TOKENWIRE_STORE="toy://shared")
    stream = (await here.post("/v1/streams", json=ASK)).json()["id"]
    cancelled = await there.post(f"/v1/streams/{stream}/cancel")
    assert cancelled.json() == {"id": stream, "end_reason": "cancelled"}
    assert '"code":"cancelled"' in (await here.get(f"/v1/streams/{stream}")).text


async def test_rooms_are_apart(provider: Upstream, serve: Serve) -> None:
    """Apps with different addresses have different stores."""
    provider.answer(ROLE, text("a"), STOP, DONE)
    here = await serve(provider, TOKENWIRE_STORE="toy://one")
    there = await serve(None, TOKENWIRE_STORE="toy://two")
    stream = (await here.post("/v1/streams", json=ASK)).json()["id"]
    assert (await there.get(f"/v1/streams/{stream}")).status_code == 404


@pytest.mark.parametrize("address", ["toy://", "toy://UPPER", "toys://room"])
def test_wrong_address_names_the_toy_too(address: str) -> None:
    """The message lists the form of every kind that is installed, and not the address itself."""
    with pytest.raises(ProxyError) as caught:
        load({"TOKENWIRE_STORE": address}, Path("/nonexistent"))
    assert caught.value.code == "bad_setting"
    assert "dynamodb://TABLE, toy://ROOM, env:NAME or ssm:/path" in caught.value.message
    assert address not in caught.value.message.replace("toy://ROOM", "")
