"""``POST /v1/chat/completions`` over TCP, against a scripted provider."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import httpx2
import pytest

from tests.conftest import Serve
from tests.fakes.upstream import DONE, ROLE, STOP, Act, Upstream, chunk, complete, text, usage
from tests.matrix.cases import recording, split
from tokenwire.sse import data_of

ASK = {"model": "openai/gpt-x", "messages": [{"role": "user", "content": "Hi"}], "stream": True}
WITH_USAGE = {**ASK, "stream_options": {"include_usage": True}}


def without_ids(body: bytes) -> bytes:
    """The body less the id lines that we add."""
    return b"".join(line for line in body.splitlines(True) if not line.startswith(b"id: "))


async def test_request_reaches_provider_whole(provider: Upstream, serve: Serve) -> None:
    """Only the model's prefix and the streaming options differ from what the caller sent."""
    provider.answer(*complete("ok"))
    client = await serve(provider)

    await client.post("/v1/chat/completions", json={**ASK, "x_unknown": {"deep": [1, None]}})

    sent = provider.requests[0]
    assert sent.path == "/v1/chat/completions"
    assert sent.headers["authorization"] == "Bearer sk-secret"
    assert sent.json == {
        "model": "gpt-x",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "x_unknown": {"deep": [1, None]},
    }


async def test_unasked_usage_is_kept_back(provider: Upstream, serve: Serve) -> None:
    """A client that did not ask for the usage chunk does not get one."""
    provider.answer(*complete("ok"))
    client = await serve(provider)

    response = await client.post("/v1/chat/completions", json=ASK)

    assert b"prompt_tokens" not in response.content
    assert response.content.endswith(b"id: 1-5\ndata: [DONE]\n\n")


async def test_first_token_before_last_is_sent(provider: Upstream, serve: Serve) -> None:
    """The client has the first token while the provider still holds the second."""
    gate = asyncio.Event()
    provider.answer(ROLE, text("one"), gate, text("two"), STOP, DONE)
    client = await serve(provider)

    async with client.stream("POST", "/v1/chat/completions", json=ASK) as response:
        received = b""
        async for data in response.aiter_bytes():
            received += data
            if b"one" in received and not gate.is_set():
                assert b"two" not in received
                gate.set()

    assert gate.is_set()
    assert b"two" in received


async def test_whole_answer_without_stream(provider: Upstream, serve: Serve) -> None:
    """Without ``stream`` the answer is one object, folded from the same stream."""
    provider.answer(*complete("Hel", "lo"))
    client = await serve(provider)

    response = await client.post("/v1/chat/completions", json={**ASK, "stream": False})

    received = response.json()
    assert received["object"] == "chat.completion"
    message = {"role": "assistant", "content": "Hello", "refusal": None}
    assert received["choices"][0]["message"] == message
    assert received["choices"][0]["finish_reason"] == "stop"
    assert received["usage"]["total_tokens"] == 5
    assert provider.requests[0].json["stream"] is True


async def test_heartbeats_before_and_between(provider: Upstream, serve: Serve) -> None:
    """Pings are a single line, and come before the provider has answered too."""
    head, middle = asyncio.Event(), asyncio.Event()
    provider.answer(ROLE, text("a"), middle, text("b"), STOP, DONE, before_head=(head,))
    client = await serve(provider, TOKENWIRE_HEARTBEAT="0.05")

    async with client.stream("POST", "/v1/chat/completions", json=ASK) as response:
        received = b""
        async for data in response.aiter_bytes():
            received += data
            if received == b": ping\n: ping\n":
                head.set()
            if received.endswith(b": ping\n") and b'"a"' in received:
                middle.set()

    before, _, after = received.partition(b"id: 1-1\n")
    assert set(before.splitlines()) == {b": ping"}
    assert b"\n\n: ping\n" in after
    assert b": ping\n\n" not in received


async def test_upstream_refusals_map_to_status(provider: Upstream, serve: Serve) -> None:
    """A provider's refusal becomes our status and code, with Retry-After, and not its text."""
    cases = {
        401: (502, "upstream_auth"),
        403: (502, "upstream_auth"),
        404: (404, "model_not_found"),
        429: (429, "upstream_rate_limited"),
        500: (502, "upstream_error"),
        503: (503, "upstream_overloaded"),
    }
    client = await serve(provider, TOKENWIRE_CONFIG="tests/http/no_retries.toml")
    for theirs, (ours, code) in cases.items():
        provider.script_anew()
        provider.answer(
            b'{"error":{"message":"key sk-secret is bad"}}',
            status=theirs,
            headers={"content-type": "application/json", "retry-after": "7"},
        )
        response = await client.post("/v1/chat/completions", json=ASK)
        assert (response.status_code, response.json()["error"]["code"]) == (ours, code)
        assert "secret" not in response.text
        if theirs != 404:
            assert response.headers.get("retry-after") == "7"


async def test_request_fault_text_is_passed(provider: Upstream, serve: Serve) -> None:
    """The client gets the provider's message about its request, without anything like a key."""
    fault = {
        "message": "max_tokens too big; key sk-secret, see https://x.test/?k=1",
        "param": "max_tokens",
        "code": "too_big",
    }
    provider.answer(
        json.dumps({"error": fault}).encode(),
        status=400,
        headers={"content-type": "application/json"},
    )
    client = await serve(provider)

    response = await client.post("/v1/chat/completions", json=ASK)

    error = response.json()["error"]
    assert response.status_code == 400
    assert error["message"] == "max_tokens too big; key [redacted], see [address]"
    assert (error["param"], error["code"]) == ("max_tokens", "too_big")


async def test_error_inside_stream_ends_it(provider: Upstream, serve: Serve) -> None:
    """An error object in a 200 stream becomes one error block, which is the last block."""
    provider.answer(
        ROLE,
        text("a"),
        b'data: {"error":{"message":"sk-secret","type":"overloaded_error"}}\n\n',
        text("b"),
    )
    client = await serve(provider)

    response = await client.post("/v1/chat/completions", json=ASK)

    last = response.text.strip().splitlines()[-1]
    error = json.loads(last.removeprefix("data: "))["error"]
    assert error["code"] == "upstream_overloaded"
    assert "secret" not in response.text
    assert "[DONE]" not in response.text
    assert '"b"' not in response.text


async def test_every_failure_is_reported(provider: Upstream, serve: Serve) -> None:
    """Wherever the provider dies, the client gets one error or terminal block, never less."""
    deaths: dict[str, tuple[tuple[bytes | Act, ...], str]] = {
        "right after the head": ((Act.RESET,), "upstream_disconnected"),
        "clean end without content": ((), "upstream_truncated"),
        "after the role": ((ROLE, Act.RESET), "upstream_disconnected"),
        "in mid-block": ((ROLE, text("a"), text("b")[:20], Act.HANG_UP), "upstream_disconnected"),
        "clean end in mid-block": ((ROLE, text("a"), text("b")[:20]), "upstream_truncated"),
        "clean end without finish": ((ROLE, text("a")), "upstream_truncated"),
        "reset after finish": ((ROLE, text("a"), STOP, Act.RESET), "upstream_disconnected"),
        "clean end in mid-block after finish": ((ROLE, STOP, b"data: {"), "upstream_truncated"),
        "garbage": ((ROLE, b"data: {nonsense\n\n"), "upstream_malformed"),
    }
    client = await serve(provider)
    for name, (steps, code) in deaths.items():
        provider.script_anew()
        provider.answer(*steps)
        response = await client.post("/v1/chat/completions", json=ASK)
        assert "[DONE]" not in response.text, name
        received = response.text.strip().splitlines()[-1].removeprefix("data: ")
        assert json.loads(received)["error"]["code"] == code, name
        assert response.text.count('"error"') == 1, name


@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize("dialect", ["chat", "messages"])
@pytest.mark.parametrize(
    "bad", [b'"text":"cut o\n\n', b'data: {"detail":"Bearer sk-secret"}\n\n', b"data: {]}\n\n"]
)
async def test_bad_block_is_an_error_in_the_dialect(
    bad: bytes, dialect: str, stream: bool, provider: Upstream, serve: Serve
) -> None:
    """In mid-stream, where bytes pass verbatim, a client still gets its text and then an error."""
    split_at = {"chat": b"data: ", "messages": b"event: content_block_delta\ndata: "}[dialect]
    bad = split_at + b"{" + bad if bad.startswith(b'"') else bad
    _, *blocks = split(recording("text", dialect))
    provider.answer(b"".join(blocks[:5]) + bad + b"".join(blocks[5:]))
    anthropic = {"ANTHROPIC_API_KEY": "sk-two", "ANTHROPIC_BASE_URL": provider.base_url}
    client = await serve(provider, **anthropic)
    path, model = {
        "chat": ("/v1/chat/completions", "openai/m"),
        "messages": ("/v1/messages", "anthropic/m"),
    }[dialect]

    response = await client.post(
        path, json={**ASK, "model": model, "max_tokens": 9, "stream": stream}
    )

    assert "secret" not in response.text
    if not stream:
        assert response.status_code == 502
        assert response.json()["error"]["code"] == "upstream_malformed"
        return
    *good, last = split(response.content)
    assert [data_of(block) for block in good] == [data_of(block) for block in blocks[:5]]
    assert json.loads(data_of(last) or b"")["error"]["code"] == "upstream_malformed"


async def test_clean_end_after_finish_is_whole(provider: Upstream, serve: Serve) -> None:
    """Some servers never send [DONE]: after a finish and a clean end the answer is complete."""
    provider.answer(ROLE, text("a"), STOP)
    client = await serve(provider)

    response = await client.post("/v1/chat/completions", json=ASK)

    assert response.text.endswith("data: [DONE]\n\n")


async def test_death_before_headers_is_status(provider: Upstream, serve: Serve) -> None:
    """A provider that dies before it answers is a 502, in JSON."""
    provider.answer(before_head=(Act.RESET,))
    client = await serve(provider, TOKENWIRE_CONFIG="tests/http/no_retries.toml")

    response = await client.post("/v1/chat/completions", json=ASK)

    assert response.status_code == 502
    assert response.json()["error"]["code"] == "upstream_unreachable"


async def test_failed_retry_is_retried(provider: Upstream, serve: Serve) -> None:
    """The SDK retries a 503 before the first byte, and the client sees only the success."""
    provider.answer(status=503, headers={"retry-after-ms": "1"})
    provider.answer(*complete("ok"))
    client = await serve(provider)

    response = await client.post("/v1/chat/completions", json=ASK)

    assert response.status_code == 200
    assert len(provider.requests) == 2


async def test_leaving_closes_upstream(provider: Upstream, serve: Serve) -> None:
    """When the client disconnects during the stream, the connection to the provider is closed."""
    provider.answer(ROLE, text("a"), Act.STALL)
    client = await serve(provider)

    async with client.stream("POST", "/v1/chat/completions", json=ASK) as response:
        await anext(response.aiter_bytes())

    await asyncio.wait_for(provider.requests[0].closed.wait(), 5)


async def test_leaving_early_closes_upstream(provider: Upstream, serve: Serve) -> None:
    """The same holds before the provider has answered."""
    provider.answer(before_head=(Act.STALL,))
    client = await serve(provider)

    pending = asyncio.create_task(client.post("/v1/chat/completions", json=ASK))
    await asyncio.wait_for(provider.arrived.wait(), 5)
    pending.cancel()

    await asyncio.wait_for(provider.requests[0].closed.wait(), 5)


async def test_leaving_whole_answer_closes_upstream(provider: Upstream, serve: Serve) -> None:
    """The same holds for a client that waits for one object."""
    provider.answer(ROLE, Act.STALL)
    client = await serve(provider)

    pending = asyncio.create_task(
        client.post("/v1/chat/completions", json={**ASK, "stream": False})
    )
    await asyncio.wait_for(provider.arrived.wait(), 5)
    pending.cancel()

    await asyncio.wait_for(provider.requests[0].closed.wait(), 5)


async def test_timeouts_have_their_own_codes(provider: Upstream, serve: Serve) -> None:
    """First content, idle and total each end the stream with a code of their own."""
    cases: dict[str, tuple[tuple[bytes | Act, ...], str]] = {
        "TOKENWIRE_TIMEOUT_FIRST_CONTENT": ((ROLE, Act.STALL), "timeout_first_content"),
        "TOKENWIRE_TIMEOUT_IDLE": ((ROLE, text("a"), Act.STALL), "timeout_idle"),
        "TOKENWIRE_TIMEOUT_TOTAL": ((ROLE, text("a"), Act.STALL), "timeout_total"),
    }
    for setting, (steps, code) in cases.items():
        provider.script_anew()
        provider.answer(*steps)
        client = await serve(provider, **{setting: "100ms"})
        response = await client.post("/v1/chat/completions", json=ASK)
        received = response.text.strip().splitlines()[-1].removeprefix("data: ")
        assert json.loads(received)["error"]["code"] == code


async def test_timeout_before_headers_is_504(provider: Upstream, serve: Serve) -> None:
    """A provider that never answers is a 504 for a client that has no byte yet."""
    provider.answer(before_head=(Act.STALL,))
    client = await serve(provider, TOKENWIRE_TIMEOUT_FIRST_CONTENT="100ms")

    response = await client.post("/v1/chat/completions", json=ASK)

    assert response.status_code == 504
    assert response.json()["error"]["code"] == "timeout_first_content"


async def test_bad_requests_name_the_field(serve: Serve) -> None:
    """Malformed requests get OpenAI's error object, with the field."""
    user = {"role": "user", "content": "x"}
    cases: list[tuple[object, str, str | None]] = [
        ([], "invalid_type", None),
        ({"messages": [user]}, "missing_required_parameter", "model"),
        ({"model": 1, "messages": [user]}, "invalid_type", "model"),
        ({"model": "demo/fast"}, "missing_required_parameter", "messages"),
        ({"model": "demo/fast", "messages": []}, "invalid_value", "messages"),
        ({"model": "demo/fast", "messages": "x"}, "invalid_type", "messages"),
        ({"model": "demo/fast", "messages": [1]}, "invalid_type", "messages[0]"),
        (
            {"model": "demo/fast", "messages": [user, {}]},
            "missing_required_parameter",
            "messages[1].role",
        ),
        ({"model": "demo/fast", "messages": [user], "stream": "y"}, "invalid_type", "stream"),
        ({"model": "demo/fast", "messages": [user], "n": 0}, "invalid_value", "n"),
        ({"model": "demo/fast", "messages": [user], "n": True}, "invalid_type", "n"),
        (
            {"model": "demo/fast", "messages": [user], "stream": True, "stream_options": 1},
            "invalid_type",
            "stream_options",
        ),
        (
            {"model": "demo/fast", "messages": [user], "stream_options": {}},
            "invalid_value",
            "stream_options",
        ),
    ]
    client = await serve()
    for body, code, param in cases:
        error = (await client.post("/v1/chat/completions", json=body)).json()["error"]
        assert (error["code"], error["param"], error["type"]) == (
            code,
            param,
            "invalid_request_error",
        )


async def test_broken_json_is_reported(serve: Serve) -> None:
    """A body that is not JSON is a 400."""
    client = await serve()
    for body in (b"", b"{", b"\xff", b"[" * 100_000):
        response = await client.post("/v1/chat/completions", content=body)
        assert (response.status_code, response.json()["error"]["code"]) == (400, "invalid_json")


async def test_large_body_is_413(serve: Serve) -> None:
    """A body over the limit is refused, with and without a Content-Length."""
    client = await serve(TOKENWIRE_MAX_BODY_BYTES="1024")

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(4):
            yield b" " * 512

    for content in (b" " * 1025, pieces()):
        response = await client.post("/v1/chat/completions", content=content)
        assert (response.status_code, response.json()["error"]["code"]) == (
            413,
            "request_too_large",
        )


async def test_bare_model_names_reach_default(provider: Upstream, serve: Serve) -> None:
    """An app that only changed its base URL still gets its model."""
    provider.answer(*complete("ok"))
    client = await serve(provider)

    await client.post("/v1/chat/completions", json={**ASK, "model": "gpt-5"})

    assert [request.json["model"] for request in provider.requests] == ["gpt-5"]


async def test_models_lists_all_providers(provider: Upstream, serve: Serve) -> None:
    """The provider's own list is requested, once; aliases and the demo's models are known."""
    listing = {
        "object": "list",
        "data": [{"id": "gpt-x", "object": "model", "created": 1, "owned_by": "o"}],
    }
    provider.answer(json.dumps(listing).encode(), headers={"content-type": "application/json"})
    client = await serve(provider)

    for _ in range(2):
        received = (await client.get("/v1/models")).json()

    assert [model["id"] for model in received["data"]][:2] == ["openai/gpt-x", "demo/markdown"]
    assert len(provider.requests) == 1


async def test_tool_calls_fold_whole(serve: Serve) -> None:
    """Without ``stream`` the pieces of a tool call become one call."""
    client = await serve(TOKENWIRE_DEMO_PACE="10000")

    response = await client.post(
        "/v1/chat/completions",
        json={"model": "demo/tool", "messages": [{"role": "user", "content": "weather?"}]},
    )

    (call,) = response.json()["choices"][0]["message"]["tool_calls"]
    assert call["function"] == {"name": "get_weather", "arguments": '{"city": "Bielefeld"}'}


async def test_upstream_comments_and_ids_are_dropped(provider: Upstream, serve: Serve) -> None:
    """A provider's heartbeats, ids and retry times do not reach the client."""
    odd = b"id: 9\nretry: 1\n" + text("a")
    empty = b"data: \n\ndata:\n\ndata: \r\n\r\n"
    provider.answer(b": PROCESSING\n\n", ROLE, b"event: ping\n\n", empty, odd, STOP, DONE)
    client = await serve(provider)

    response = await client.post("/v1/chat/completions", json=ASK)

    assert without_ids(response.content) == ROLE + text("a") + STOP + DONE
    assert "PROCESSING" not in response.text


def test_chunk_helper_is_honest() -> None:
    """The blocks that these tests send decode to a complete answer."""
    assert httpx2.Response(200, content=chunk() + usage()).text.count("chat.completion.chunk") == 2
