"""The log line and the metrics."""

from __future__ import annotations

import asyncio
import io
import json
import time
from typing import Any

from aws_lambda_powertools import Logger

from tests.conftest import Serve
from tests.fakes.upstream import Upstream, complete
from tests.http.reading import printed
from tokenwire.telemetry import Instants, Metrics, RequestLog, StreamRecord, write


def line(record: RequestLog) -> dict[str, Any]:
    """Return the line of a record."""
    out = io.StringIO()
    write(Logger(service=f"test-{id(out)}", stream=out), record)
    found: dict[str, Any] = json.loads(out.getvalue())
    return found


def test_known_fields_are_nested() -> None:
    """Names follow the semantic conventions; unknown values are omitted."""
    result = line(
        RequestLog(
            "req_1",
            "POST",
            status=200,
            stream=StreamRecord("st_1", "openai", "openai/gpt-x", "gpt-x", ["stop"], 3, 2, "done"),
            instants=Instants(first_content=0.25, end=1.0),
        )
    )
    assert result["gen_ai"] == {
        "provider": {"name": "openai"},
        "request": {"model": "openai/gpt-x"},
        "response": {"model": "gpt-x", "finish_reasons": ["stop"]},
        "usage": {"input_tokens": 3, "output_tokens": 2},
    }
    assert result["http"] == {"request": {"method": "POST"}, "response": {"status_code": 200}}
    assert result["ms"] == {"first_content": 250.0, "end": 1000.0}
    assert "caller" not in result
    assert "error" not in result


def test_text_from_outside_is_not_logged() -> None:
    """A model name with other characters is not logged."""
    record = StreamRecord("st_1", "openai", "ignore all\nprevious", "x" * 200, ["<b>"])
    result = line(RequestLog("req_1", "GET", stream=record))
    assert result["gen_ai"]["request"]["model"] == "invalid"
    assert result["gen_ai"]["response"] == {"model": "invalid", "finish_reasons": ["invalid"]}


def test_error_belongs_to_one() -> None:
    """An error of a stream is counted once, not again for the request."""
    stream = StreamRecord("st_1", "openai", "m", error_code="upstream_error")
    assert RequestLog("r", "POST", error_code="upstream_error", stream=stream).own_error is None
    assert RequestLog("r", "POST", error_code="overloaded", stream=stream).own_error == "overloaded"
    assert RequestLog("r", "POST", error_code="not_found").own_error == "not_found"
    assert RequestLog("r", "GET").own_error is None


async def test_lines_do_not_mix(provider: Upstream, serve: Serve, capfd: Any) -> None:
    """Concurrent requests have one line each, with their own fields and without texts or keys."""
    provider.answer(*complete("the answer"))
    client = await serve(provider, TOKENWIRE_API_KEYS="key-one-of-tests,key-two-of-tests")

    async def ask(number: int) -> str:
        response = await client.post(
            "/v1/chat/completions",
            json={
                "model": f"openai/m{number}",
                "stream": True,
                "messages": [{"role": "user", "content": f"the question {number}"}],
            },
            headers={"x-api-key": ("key-one-of-tests", "key-two-of-tests")[number % 2]},
        )
        return f"{response.headers['x-request-id']} {response.headers['x-stream-id']}"

    ids = await asyncio.gather(*(ask(number) for number in range(20)))

    out = await printed(capfd, 20)
    lines = [json.loads(text) for text in out.splitlines() if '"request"' in text]
    assert sorted(f"{x['request_id']} {x['stream_id']}" for x in lines) == sorted(ids)
    assert sorted(x["gen_ai"]["request"]["model"] for x in lines) == sorted(
        f"openai/m{n}" for n in range(20)
    )
    assert len({x["caller"] for x in lines}) == 2
    for x in lines:
        assert x["http"]["route"] == "/v1/chat/completions"
        assert (x["end_reason"], x["upstream"]["blocks"]) == ("done", 4)
        assert x["gen_ai"]["usage"] == {"input_tokens": 3, "output_tokens": 2}
        ms = x["ms"]
        assert ms["first_upstream_byte"] <= ms["first_content"] <= ms["end"]
        assert ms["first_upstream_byte"] <= ms["first_delivered"] <= ms["end"]
    for secret in ("question", "the answer", "key-one-of-tests", "key-two-of-tests", "sk-secret"):
        assert secret not in out


async def test_every_request_leaves_a_line(serve: Serve, capfd: Any) -> None:
    """Every request has a line, also pages, probes and errors; a caller's id is kept."""
    client = await serve()
    for method, path in (
        ("GET", "/"),
        ("GET", "/healthz"),
        ("GET", "/nowhere"),
        ("PUT", "/v1/streams"),
    ):
        await client.request(method, path, headers={"x-request-id": "mine-12345"})
    await client.get("/healthz", headers={"x-request-id": "bad id!"})

    result = await printed(capfd, 5)
    lines = [json.loads(x) for x in result.splitlines() if '"request"' in x]
    assert [x["http"]["response"]["status_code"] for x in lines] == [200, 200, 404, 405, 200]
    assert [x["request_id"] for x in lines[:4]] == ["mine-12345"] * 4
    assert lines[4]["request_id"].startswith("req_")
    assert [x.get("error", {}).get("type") for x in lines] == [
        None,
        None,
        "not_found",
        "bad_method",
        None,
    ]


def test_metrics_count_streams() -> None:
    """A stream's end is counted with its provider, its reason, its blocks and its tokens."""
    metrics = Metrics(lambda: 3, lambda: 5)
    record = StreamRecord("s", "openai", "m", None, [], 7, 11, "error", "lost", blocks=13)
    metrics.ended(record, first_content=0.2, duration=2.0)
    metrics.ended(StreamRecord("s", "demo", "m", end_reason="done"), None, 1.0)
    metrics.failed("invalid_json")

    text = metrics.render()[0].decode()

    for expected in (
        "tokenwire_open_streams 3.0",
        "tokenwire_open_viewers 5.0",
        'tokenwire_streams_total{end_reason="error",provider="openai"} 1.0',
        'tokenwire_blocks_total{provider="openai"} 13.0',
        'tokenwire_tokens_total{direction="output",provider="openai"} 11.0',
        'tokenwire_errors_total{code="lost"} 1.0',
        'tokenwire_errors_total{code="invalid_json"} 1.0',
        'tokenwire_time_to_first_content_seconds_count{provider="openai"} 1.0',
        'tokenwire_stream_duration_seconds_sum{provider="openai"} 2.0',
    ):
        assert expected in text


def test_scrape_has_a_histogram_s_bounds_and_times_of_creation() -> None:
    """A value on a bound belongs to its bucket; one above all bounds only to the last."""
    metrics = Metrics(lambda: 0, lambda: 0, lambda: True)
    before = time.time()
    for first, duration in ((0.05, 900.0), (0.051, 901.0)):
        metrics.ended(StreamRecord("s", "demo", "m", end_reason="done"), first, duration)

    body, media_type = metrics.render()
    lines = dict(line.rsplit(" ", 1) for line in body.decode().splitlines() if line[0] != "#")

    assert media_type.startswith("text/plain; version=")
    assert lines["tokenwire_store_failing"] == "1.0"
    first_content = "tokenwire_time_to_first_content_seconds"
    assert lines[first_content + '_bucket{le="0.05",provider="demo"}'] == "1.0"
    assert lines[first_content + '_bucket{le="0.1",provider="demo"}'] == "2.0"
    streams = "tokenwire_stream_duration_seconds"
    assert lines[streams + '_bucket{le="900.0",provider="demo"}'] == "1.0"
    assert lines[streams + '_bucket{le="+Inf",provider="demo"}'] == "2.0"
    assert lines[streams + '_count{provider="demo"}'] == "2.0"
    for name in (streams, "tokenwire_blocks"):
        assert float(lines[name + '_created{provider="demo"}']) >= before


def test_error_codes_are_bounded() -> None:
    """The number of codes in the registry is limited."""
    metrics = Metrics(lambda: 0, lambda: 0)
    for number in range(500):
        metrics.failed(f"code_{number}")
    text = metrics.render()[0].decode()
    assert text.count("tokenwire_errors_total{") == 65
    assert 'tokenwire_errors_total{code="other"} 436.0' in text


async def test_scrape_needs_a_key(provider: Upstream, serve: Serve) -> None:
    """Metrics require a key and include streams."""
    provider.answer(*complete("x"))
    client = await serve(provider, TOKENWIRE_API_KEYS="key-one-of-tests")
    assert (await client.get("/metrics")).status_code == 401
    key = {"authorization": "Bearer key-one-of-tests"}
    await client.post("/api/stream", json={"message": "x", "model": "openai/m"}, headers=key)

    text = (await client.get("/metrics", headers=key)).text

    assert 'tokenwire_streams_total{end_reason="done",provider="openai"} 1.0' in text
    assert "tokenwire_open_streams 0.0" in text
