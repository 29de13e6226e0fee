"""``/v1/streams``: start, watch, resume, share, cancel."""

from __future__ import annotations

import asyncio

import httpx2

from tests.conftest import Serve
from tests.fakes.upstream import DONE, ROLE, STOP, Act, Upstream, complete, text
from tests.http.reading import read, text_of, types
from tokenwire.dialects import DIALECTS

BODY = {"message": "x", "model": "openai/m"}


async def started(client: httpx2.AsyncClient, **more: str) -> dict[str, str]:
    """A stream, started and not watched."""
    response = await client.post("/v1/streams", json={**BODY, **more})
    assert response.status_code == 201
    found: dict[str, str] = response.json()
    return found


async def test_started_stream_is_watched_by_url(provider: Upstream, serve: Serve) -> None:
    """The answer has a URL that needs no key and sends the complete stream."""
    provider.answer(*complete("Hel", "lo"))
    client = await serve(provider, TOKENWIRE_API_KEYS="key-one-of-tests")
    client.headers["authorization"] = "Bearer key-one-of-tests"
    stream = await started(client)
    del client.headers["authorization"]

    response = await client.get(stream["url"])

    assert text_of(response.content) == "Hello"
    assert response.content.startswith(b"retry: 1000\nid: 1-0\n")
    assert types(response.content)[-1] == "[DONE]"


async def test_watch_in_either_dialect(provider: Upstream, serve: Serve) -> None:
    """One stream is watched as typed events and as chunks."""
    provider.answer(*complete("Hi"))
    client = await serve(provider)
    stream = await started(client)

    events = await client.get(f"/v1/streams/{stream['id']}?format=events")
    chunks = await client.get(f"/v1/streams/{stream['id']}?format=chat&include_usage=true")

    assert text_of(events.content) == "Hi"
    lines = [x for x in chunks.content.splitlines(True) if not x.startswith((b"id:", b"retry:"))]
    assert b"".join(lines) == b"".join(complete("Hi"))
    assert len(provider.requests) == 1


async def test_resume_at_every_cursor(provider: Upstream, serve: Serve) -> None:
    """A client that resumes after any id, in any dialect, gets exactly what it lacks."""
    provider.answer(*complete("a", "b", "c"))
    client = await serve(provider)
    stream = await started(client)
    for dialect in DIALECTS:
        url = f"/v1/streams/{stream['id']}?format={dialect}"
        everything = read((await client.get(url)).content)
        for at, (last, _) in enumerate(everything[:-1]):
            for how in ({"last-event-id": last}, {"last-event-id": f"{stream['id']}.{last}"}):
                rest = await client.get(url, headers=how)
                assert read(rest.content) == everything[at + 1 :]
            rest = await client.get(f"{url}&last_event_id={last}")
            assert read(rest.content) == everything[at + 1 :]
            number = last.partition("-")[2]
            rest = await client.get(f"{url}&starting_after={number}")
            assert read(rest.content) == everything[at + 1 :]
        done = await client.get(url, headers={"last-event-id": everything[-1][0]})
        assert done.status_code == 204


async def test_bad_cursors_are_refused(provider: Upstream, serve: Serve) -> None:
    """A cursor that was never handed out is an error, not an empty stream."""
    provider.answer(ROLE, text("a"), Act.STALL)
    client = await serve(provider)
    stream = await started(client)
    for cursor in ("1-99", "2-0", "st_other.1-0", "x", "1-"):
        response = await client.get(
            f"/v1/streams/{stream['id']}", headers={"last-event-id": cursor}
        )
        assert (response.status_code, response.json()["code"]) == (400, "invalid_cursor")


async def test_unknown_format_is_refused(provider: Upstream, serve: Serve) -> None:
    """The error names the formats there are."""
    provider.answer(*complete("a"))
    client = await serve(provider)
    stream = await started(client)
    response = await client.get(f"/v1/streams/{stream['id']}?format=morse")
    assert (response.status_code, response.json()["param"]) == (400, "format")


async def test_trimmed_part_is_410(provider: Upstream, serve: Serve) -> None:
    """A part that is no longer held is a 410."""
    provider.answer(ROLE, *(text("x" * 1000) for _ in range(40)), STOP, DONE)
    client = await serve(provider, TOKENWIRE_MAX_STREAM_BYTES="8192", TOKENWIRE_WINDOW_BYTES="2048")
    stream = await started(client)
    url = f"/v1/streams/{stream['id']}"
    await asyncio.wait_for(_ended(client, url), 5)

    for dialect in ("events", "chat"):
        response = await client.get(f"{url}?format={dialect}&last_event_id=1-1")
        assert (response.status_code, response.json()["code"]) == (410, "trimmed")


async def _ended(client: httpx2.AsyncClient, url: str) -> None:
    while (await client.get(f"{url}?format=chat&starting_after=43")).status_code != 204:
        await asyncio.sleep(0.01)


async def test_two_watch_one_stream(provider: Upstream, serve: Serve) -> None:
    """A late viewer gets the past, then both get the present; the provider sees one request."""
    gate = asyncio.Event()
    provider.answer(ROLE, text("one "), gate, text("two"), STOP, DONE)
    client = await serve(provider)
    stream = await started(client)
    url = f"/v1/streams/{stream['id']}"

    async def watch() -> bytes:
        received = b""
        async with client.stream("GET", url) as response:
            async for data in response.aiter_bytes():
                received += data
                if b"one" in received:
                    arrived.release()
        return received

    arrived = asyncio.Semaphore(0)
    early = asyncio.create_task(watch())
    await arrived.acquire()
    late = asyncio.create_task(watch())
    await arrived.acquire()
    gate.set()

    assert read(await early) == read(await late)
    assert text_of(await early) == "one two"
    assert len(provider.requests) == 1


async def test_cancel_stops_upstream(provider: Upstream, serve: Serve) -> None:
    """Cancel closes the provider's connection and tells every viewer why."""
    provider.answer(ROLE, text("a"), Act.STALL)
    client = await serve(provider)
    stream = await started(client)
    watching = asyncio.create_task(client.get(f"/v1/streams/{stream['id']}"))
    await asyncio.wait_for(provider.arrived.wait(), 5)

    for _ in range(2):
        response = await client.post(f"/v1/streams/{stream['id']}/cancel")
        assert response.json() == {"id": stream["id"], "end_reason": "cancelled"}

    await asyncio.wait_for(provider.requests[0].closed.wait(), 5)
    _, last = read((await watching).content)[-1]
    assert (last["type"], last["code"]) == ("error", "cancelled")


async def test_streams_belong_to_their_key(provider: Upstream, serve: Serve) -> None:
    """Another caller's stream is a 404; without a key every stream is a 401."""
    provider.answer(*complete("a"))
    client = await serve(provider, TOKENWIRE_API_KEYS="key-one-of-tests,key-two-of-tests")
    stream = (
        await client.post("/v1/streams", json=BODY, headers={"x-api-key": "key-one-of-tests"})
    ).json()
    url = f"/v1/streams/{stream['id']}"

    for method, path in (("GET", url), ("POST", f"{url}/cancel"), ("POST", f"{url}/ticket")):
        other = await client.request(method, path, headers={"x-api-key": "key-two-of-tests"})
        anonymous = await client.request(method, path)
        assert (other.status_code, anonymous.status_code) == (404, 401)


async def test_share_gives_a_ticket(provider: Upstream, serve: Serve) -> None:
    """A ticket opens its own stream for reading, and no other, and is not a key."""
    provider.answer(*complete("a"))
    client = await serve(provider, TOKENWIRE_API_KEYS="key-one-of-tests")
    key = {"x-api-key": "key-one-of-tests"}
    mine, other = [
        (await client.post("/v1/streams", json=BODY, headers=key)).json() for _ in range(2)
    ]
    shared = (await client.post(f"/v1/streams/{mine['id']}/ticket", headers=key)).json()
    ticket = shared["url"].partition("?")[2]

    assert text_of((await client.get(shared["url"])).content) == "a"
    stolen = await client.get(f"/v1/streams/{other['id']}?{ticket}")
    assert (stolen.status_code, stolen.json()["code"]) == (401, "invalid_ticket")
    cancel = await client.post(f"/v1/streams/{mine['id']}/cancel?{ticket}")
    assert cancel.status_code == 401


async def test_unwatched_stream_is_cancelled(provider: Upstream, serve: Serve) -> None:
    """A started stream without a viewer ends when its grace is over."""
    provider.answer(ROLE, Act.STALL)
    client = await serve(provider)
    await started(client, on_disconnect="grace=0.1")
    await asyncio.wait_for(provider.arrived.wait(), 5)
    await asyncio.wait_for(provider.requests[0].closed.wait(), 5)


async def test_continue_needs_no_viewer(provider: Upstream, serve: Serve) -> None:
    """With ``continue`` a stream runs to its end alone, and can be read afterwards."""
    gate = asyncio.Event()
    provider.answer(ROLE, text("a"), gate, text("b"), STOP, DONE)
    client = await serve(provider)
    body = {**BODY, "on_disconnect": "continue"}
    async with client.stream("POST", "/api/stream", json=body) as response:
        await anext(response.aiter_bytes())
    gate.set()

    again = await client.get(f"/v1/streams/{response.headers['x-stream-id']}")

    assert text_of(again.content) == "ab"


async def test_finished_streams_are_forgotten(provider: Upstream, serve: Serve) -> None:
    """After its retention a finished stream is a 404."""
    provider.answer(*complete("a"))
    client = await serve(provider, TOKENWIRE_RETENTION="100ms")
    stream = await started(client)
    url = f"/v1/streams/{stream['id']}"
    await client.get(url)

    async def gone() -> None:
        while (await client.get(url)).status_code != 404:
            await asyncio.sleep(0.02)

    await asyncio.wait_for(gone(), 5)


async def test_full_server_refuses(provider: Upstream, serve: Serve) -> None:
    """Past its limit of open streams the server says 503, and when to come back."""
    provider.answer(ROLE, Act.STALL)
    client = await serve(provider, TOKENWIRE_MAX_STREAMS="1")
    await started(client)

    response = await client.post("/v1/streams", json=BODY)

    assert (response.status_code, response.json()["code"]) == (503, "overloaded")
    assert response.headers["retry-after"] == "1"


async def test_oldest_finished_goes_first(provider: Upstream, serve: Serve) -> None:
    """When memory is full, finished streams are forgotten, the oldest first."""
    provider.answer(*complete("x" * 3000))
    client = await serve(provider, TOKENWIRE_MAX_TOTAL_BYTES="10000")
    streams = []
    for _ in range(3):
        streams.append(await started(client))
        await client.get(f"/v1/streams/{streams[-1]['id']}")

    found = [(await client.get(f"/v1/streams/{s['id']}")).status_code for s in streams]

    assert found == [404, 200, 200]
