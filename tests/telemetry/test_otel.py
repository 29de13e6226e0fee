"""OpenTelemetry, as a receiver of OTLP that others wrote gets it from a real process."""

from __future__ import annotations

import asyncio
import logging
import threading
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from google.protobuf.json_format import MessageToDict
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes
from opentelemetry.semconv._incubating.metrics import gen_ai_metrics
from opentelemetry.semconv.attributes import error_attributes, http_attributes
from oteltest.sink import HttpSink
from oteltest.sink.handler import AccumulatingHandler

from tests.e2e.test_process import started
from tests.fakes.ports import reserved_port
from tests.fakes.upstream import Upstream, upstream
from tests.http.reading import read
from tokenwire.app import create_app
from tokenwire.registries import Registries
from tokenwire.settings import Settings
from tokenwire.telemetry.otel import names

pytestmark = [pytest.mark.outside, pytest.mark.xdist_group("otel")]

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
SECRET = "the quick brown prompt"
CHUNKS = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"gpt-x","choices":'
    b'[{"index":0,"delta":{"content":"private answer"},"finish_reason":"stop"}]}\n\n'
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"gpt-x","choices":[],'
    b'"usage":{"prompt_tokens":7,"completion_tokens":9,"total_tokens":16}}\n\ndata: [DONE]\n\n'
)


@dataclass(frozen=True)
class Received:
    """What the receiver has got.

    Args:
        spans: By name, in the order of their ends.
        metrics: By name; the last export of each.
        resource: The attributes of the process.
        text: Everything, as text.
        upstream: The ``traceparent`` headers that the provider has got.
        streams: The ids of the streams that were: complete, cancelled, resumed, failed.
    """

    spans: dict[str, list[dict[str, Any]]]
    metrics: dict[str, dict[str, Any]]
    resource: dict[str, Any]
    text: str
    upstream: list[str | None]
    streams: list[str]


@pytest.fixture(scope="module")
def received() -> Received:
    """The requests of ``_requests``, and what the receiver has got when the server has stopped."""
    port, handler = reserved_port(), AccumulatingHandler()
    sink = HttpSink(handler, logging.getLogger("oteltest"), port)
    sink.start()
    try:
        headers, streams = asyncio.run(_requests(f"http://127.0.0.1:{port}"))
    finally:
        sink.stop()
    return _received(handler, headers, streams)


async def _requests(endpoint: str) -> tuple[list[str | None], list[str]]:
    async with upstream() as provider, _server(endpoint, provider) as client:
        provider.answer(CHUNKS, headers={"content-type": "text/event-stream"})
        streams = [
            await _complete(client),
            await _cancelled(client),
            await _resumed(client),
            await _failed(client),
        ]
        return [one.headers.get("traceparent") for one in provider.requests], streams


@asynccontextmanager
async def _server(endpoint: str, provider: Upstream) -> AsyncIterator[httpx2.AsyncClient]:
    port = reserved_port()
    settings = {
        "TOKENWIRE_OTEL": "true",
        "TOKENWIRE_PORT": str(port),
        "TOKENWIRE_DEMO_PACE": "200",
        "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        "OPENAI_API_KEY": "sk-secret",
        "OPENAI_BASE_URL": provider.base_url,
        "ANTHROPIC_API_KEY": "sk-secret",
        "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{reserved_port()}",
    }
    async with started(**settings) as process:
        assert process.stderr is not None
        url = f"http://127.0.0.1:{port}"
        async with httpx2.AsyncClient(
            base_url=url, timeout=20, trust_env=False, verify=False
        ) as client:
            await _ready(client)
            yield client
        process.terminate()
        await process.wait()


async def _ready(client: httpx2.AsyncClient) -> None:
    for _ in range(400):
        try:
            await client.get("/healthz")
        except httpx2.TransportError:
            await asyncio.sleep(0.05)
        else:
            return
    raise AssertionError("the server does not start")


async def _complete(client: httpx2.AsyncClient) -> str:
    body = {"message": SECRET, "model": "openai/gpt-x"}
    response = await client.post("/api/stream", json=body, headers={"traceparent": PARENT})
    return response.headers["x-stream-id"]


async def _cancelled(client: httpx2.AsyncClient) -> str:
    body = {"message": SECRET, "model": "demo/markdown"}
    async with client.stream("POST", "/api/stream", json=body) as response:
        stream = response.headers["x-stream-id"]
        assert (await client.post(f"/v1/streams/{stream}/cancel")).status_code == 200
        await response.aread()
    return stream


async def _resumed(client: httpx2.AsyncClient) -> str:
    body = {"message": SECRET, "model": "demo/markdown"}
    async with client.stream("POST", "/api/stream", json=body) as response:
        stream = response.headers["x-stream-id"]
        first = await anext(response.aiter_bytes())
        last = read(first)[0][0]
        resumed = await client.get(f"/v1/streams/{stream}", headers={"last-event-id": last})
        assert resumed.status_code == 200
    return stream


async def _failed(client: httpx2.AsyncClient) -> str:
    body = {"message": SECRET, "model": "anthropic/claude"}
    return (await client.post("/api/stream", json=body)).headers["x-stream-id"]


def _received(
    handler: AccumulatingHandler, headers: list[str | None], streams: list[str]
) -> Received:
    exports = handler.telemetry
    traces = [MessageToDict(one.pbreq) for one in exports.trace_requests]
    spans: dict[str, list[dict[str, Any]]] = {}
    for span in _each(traces, "resourceSpans", "scopeSpans", "spans"):
        spans.setdefault(span["name"], []).append(span | {"attributes": _values(span)})
    measured = [MessageToDict(one.pbreq) for one in exports.metric_requests]
    metrics = {
        one["name"]: one for one in _each(measured, "resourceMetrics", "scopeMetrics", "metrics")
    }
    resource = _values(traces[0]["resourceSpans"][0]["resource"])
    return Received(spans, metrics, resource, f"{traces}{measured}", headers, streams)


def _each(exports: list[dict[str, Any]], *path: str) -> Iterator[dict[str, Any]]:
    for export in exports:
        found = [export]
        for name in path:
            found = [inner for outer in found for inner in outer.get(name, [])]
        yield from found


def _values(of: dict[str, Any]) -> dict[str, Any]:
    return {one["key"]: _value(one["value"]) for one in of.get("attributes", [])}


def _value(value: dict[str, Any]) -> object:
    if "arrayValue" in value:
        return [_value(one) for one in value["arrayValue"].get("values", [])]
    return int(value["intValue"]) if "intValue" in value else next(iter(value.values()))


def inference(received: Received, index: int) -> dict[str, Any]:
    """The span of one of the four streams."""
    wanted = received.streams[index]
    spans = [span for named in received.spans.values() for span in named]
    return next(
        span
        for span in spans
        if span["kind"] == "SPAN_KIND_CLIENT" and span["attributes"][names.STREAM_ID] == wanted
    )


def events(span: dict[str, Any]) -> list[str]:
    """The names of a span's events, in order."""
    return [event["name"] for event in span.get("events", [])]


def test_app_has_no_thread_before_it_starts() -> None:
    """Workers are forked from a process that has made the app; ``doctor`` never starts it."""
    before = threading.enumerate()
    create_app(Settings(otel=True))
    assert threading.enumerate() == before


def test_complete_stream(received: Received) -> None:
    """The span of a stream has the model, the tokens and the time of the first byte."""
    span = inference(received, 0)
    given = span["attributes"]
    assert span["name"] == "chat openai/gpt-x"
    assert (given[names.OPERATION], given[names.PROVIDER]) == ("chat", "openai")
    assert given[names.REQUEST_MODEL] == "openai/gpt-x"
    assert given[names.RESPONSE_MODEL] == "gpt-x"
    assert (given[names.INPUT_TOKENS], given[names.OUTPUT_TOKENS]) == (7, 9)
    assert given[names.FINISH_REASONS] == ["stop"]
    assert (given[names.REQUEST_STREAM], given[names.END_REASON]) == (True, "done")
    assert given[names.FIRST_CHUNK] > 0
    assert events(span) == [names.ATTEMPT]


def test_trace_continues_from_caller_to_provider(received: Received) -> None:
    """The request joins its caller's trace, the stream is its child, the provider gets its id."""
    stream = inference(received, 0)
    request = next(
        span
        for span in received.spans["POST /api/stream"]
        if span["attributes"][names.STREAM_ID] == received.streams[0]
    )
    assert request["parentSpanId"] == _in_base64(PARENT.split("-")[2])
    assert request["traceId"] == stream["traceId"] == _in_base64(PARENT.split("-")[1])
    assert stream["parentSpanId"] == request["spanId"]
    (header,) = [one for one in received.upstream if one]
    assert _in_base64(header.split("-")[1]) == stream["traceId"]
    assert _in_base64(header.split("-")[2]) == stream["spanId"]


def _in_base64(hexadecimal: str) -> str:
    return b64encode(bytes.fromhex(hexadecimal)).decode()


def test_cancelled_stream(received: Received) -> None:
    """Its span has the event and the end reason, and the cancelling request links to it."""
    span = inference(received, 1)
    assert names.CANCELLED in events(span)
    assert span["attributes"][names.END_REASON] == "cancelled"
    assert span.get("status", {}) == {}
    (request,) = received.spans["POST /v1/streams/{stream_id}/cancel"]
    assert [link["spanId"] for link in request["links"]] == [span["spanId"]]


def test_resumed_stream(received: Received) -> None:
    """Its span has the event with the record after which it was resumed, and two viewers."""
    span = inference(received, 2)
    (event,) = [one for one in span["events"] if one["name"] == names.RESUMED]
    assert names.RESUMED_FROM in _values(event)
    assert span["attributes"][names.VIEWERS] == 2


def test_failed_stream(received: Received) -> None:
    """Its span and its request have the code of the error, and the status ERROR."""
    span = inference(received, 3)
    assert span["attributes"][names.ERROR_TYPE] == "upstream_unreachable"
    assert span["status"]["code"] == "STATUS_CODE_ERROR"
    (attempt,) = [one for one in span["events"] if one["name"] == names.ATTEMPT]
    assert _values(attempt)[names.ERROR_TYPE] == "upstream_unreachable"


def test_metrics(received: Received) -> None:
    """Every metric of the table arrives, with its unit; tokens by their type."""
    table = [value for value in vars(names).values() if isinstance(value, tuple)]
    expected = {name: unit for name, unit, _ in table}
    assert {name: one["unit"] for name, one in received.metrics.items()} == expected
    points = received.metrics[names.TOKENS[0]]["histogram"]["dataPoints"]
    tokens = {
        (one[names.PROVIDER], one[names.TOKEN_TYPE]): point["sum"]
        for point in points
        for one in [_values(point)]
    }
    assert tokens["openai", "input"] == 7
    assert tokens["openai", "output"] == 9


def test_ends_are_counted_by_reason(received: Received) -> None:
    """Four streams: two were complete, one was cancelled, one failed."""
    points = received.metrics[names.ENDED_STREAMS[0]]["sum"]["dataPoints"]
    ends: dict[str, int] = {}
    for point in points:
        reason = str(_values(point)[names.END_REASON])
        ends[reason] = ends.get(reason, 0) + int(point["asInt"])
    assert ends == {"done": 2, "cancelled": 1, "error": 1}


def test_names_of_the_service(received: Received) -> None:
    """The resource names the service and its version."""
    assert received.resource["service.name"] == "tokenwire"
    assert "service.version" in received.resource


def test_nothing_private_is_sent(received: Received) -> None:
    """No prompt, no answer, no key."""
    for private in (SECRET, "private answer", "sk-secret"):
        assert private not in received.text


def test_names_are_in_the_registry() -> None:
    """Every name is one of the published conventions, or begins with ``tokenwire.``."""
    modules = (gen_ai_attributes, gen_ai_metrics, error_attributes, http_attributes)
    published = {value for one in modules for value in vars(one).values() if isinstance(value, str)}
    ours = [
        value[0] if isinstance(value, tuple) else value
        for name, value in vars(names).items()
        if name.isupper()
    ]
    assert len(ours) > 30
    assert [
        name for name in ours if name not in published and not name.startswith("tokenwire.")
    ] == []
    values = {one.value for one in gen_ai_attributes.GenAiProviderNameValues}
    assert {kind.otel_name for kind in Registries.load().providers.values()} - {""} <= values
