"""The worker: what it takes, and what it leaves alone."""

from __future__ import annotations

import asyncio
import io
import itertools
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aws_lambda_powertools import Logger

from tests.fakes.memory_store import MemoryStore
from tokenwire.app import create_app
from tokenwire.auth.callers import Caller
from tokenwire.dialects.protocol import ParsedRequest
from tokenwire.errors import ClientError, ProxyError
from tokenwire.gateway.context import RequestContext
from tokenwire.gateway.handover import hand_over, needs_worker
from tokenwire.gateway.invoker import LambdaInvoker
from tokenwire.gateway.memory import RequestMemory
from tokenwire.gateway.services import Invoker, Services
from tokenwire.gateway.worker import Worker
from tokenwire.secrets import Secrets
from tokenwire.settings import load
from tokenwire.stores.records import End, EndReason, Meta
from tokenwire.streams.policy import CANCEL, CONTINUE

_NUMBERS = itertools.count()
EVENT: dict[str, Any] = json.loads(Path("events/worker.json").read_text())


@dataclass
class Context:
    """An invocation with a minute to go."""

    aws_request_id: str = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"
    memory_limit_in_mb: int = 512
    freezes: bool = True

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the deadline."""
        return 60_000


class Bench:
    """A worker, its store, and what it logged."""

    def __init__(self, store: MemoryStore | None, invoker: Invoker | None = None) -> None:
        self.out = io.StringIO()
        logger = Logger(service=f"worker-{next(_NUMBERS)}", stream=self.out)
        settings = load({"TOKENWIRE_DEMO_PACE": "1000"}, Path("/nonexistent"))
        app = create_app(settings, Secrets({}), logger, durable=store, invoker=invoker)
        self.services: Services = app.state.services
        self.worker: Worker = app.state.worker

    async def run(self, **changes: Any) -> dict[str, str]:
        """One event."""
        return await self.worker({**EVENT, **changes}, Context())

    @property
    def line(self) -> dict[str, Any]:
        """The last line."""
        found: dict[str, Any] = json.loads(self.out.getvalue().splitlines()[-1])
        return found


def reserved(store: MemoryStore) -> Meta:
    """The stream of the event, as a request leaves it."""
    return Meta(EVENT["stream"], EVENT["owner"], "demo", "chat", EVENT["model"], 1)


async def test_runs_the_stream_that_was_reserved() -> None:
    """The worker returns once the end is in the store, and writes one log line."""
    store = MemoryStore()
    await store.reserve(reserved(store))
    bench = Bench(store)
    assert bench.worker.takes(EVENT)
    assert await bench.run() == {"stream": EVENT["stream"], "end_reason": "done"}
    log = store.logs[EVENT["stream"]]
    assert log.end is not None
    assert bench.line["http"]["route"] == "tokenwire.worker"
    assert (bench.line["end_reason"], bench.line["store"]) == ("done", "kept")
    assert bench.line["function_request_id"] == Context.aws_request_id
    assert "Hello" not in bench.out.getvalue()


async def test_delivered_twice_or_too_late_it_does_nothing() -> None:
    """A repeated event, or one for a stream that has ended, changes nothing."""
    store = MemoryStore()
    bench = Bench(store)
    taken = {"stream": EVENT["stream"], "end_reason": "taken"}
    assert await bench.run() == taken
    await store.reserve(reserved(store))
    await store.close(EVENT["stream"], End(EndReason.LOST))
    assert await bench.run() == taken
    store.logs.clear()
    await store.reserve(reserved(store))
    await bench.run()
    batches = len(store.logs[EVENT["stream"]].batches)
    assert await bench.run() == taken
    assert len(store.logs[EVENT["stream"]].batches) == batches


@pytest.mark.parametrize("model", ["unknown", "m" * 257])
async def test_unusable_request_ends_the_stream(model: str) -> None:
    """If the model no longer exists, or its name is malformed, the log ends with that error."""
    store = MemoryStore()
    await store.reserve(reserved(store))
    bench = Bench(store)
    received = await bench.run(model=model)
    assert received["end_reason"] == "error"
    log = store.logs[EVENT["stream"]]
    assert log.end is not None
    assert log.end.end is not None
    assert log.end.end.error is not None
    assert bench.line["error"]["type"] == log.end.end.error.code


async def test_other_events_are_refused() -> None:
    """Events of other senders and versions are refused; without a store every event is."""
    bench = Bench(MemoryStore())
    assert not bench.worker.takes({"Records": []})
    for changes in ({"version": 2}, {"type": "x"}, {"body": "text"}):
        with pytest.raises(ProxyError) as caught:
            await bench.run(**changes)
        assert caught.value.code == "unsupported_event"
    with pytest.raises(ProxyError) as caught:
        await Bench(None).run()
    assert caught.value.code == "store_unavailable"


class Lambda:
    """What invokes: remembers the events, or refuses."""

    def __init__(self, refusal: ProxyError | None = None) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []
        self._refusal = refusal

    async def invoke(self, function: str, event: bytes) -> None:
        """As ``Invoker.invoke``."""
        if self._refusal is not None:
            raise self._refusal
        self.events.append((function, json.loads(event)))


def handed(bench: Bench) -> tuple[Services, RequestContext]:
    """The services, and the context of a request on Lambda."""
    services = bench.services
    memory = RequestMemory(services.hub.account("me"))
    context = RequestContext(Caller("me"), memory, freezes=True, function_arn="arn:x")
    return services, context


async def test_callers_headers_are_handed_over() -> None:
    """Headers that are forwarded to the provider are in the worker's event."""
    store = MemoryStore()
    invoker = Lambda()
    bench = Bench(store, invoker)
    services, context = handed(bench)
    headers = {"anthropic-beta": "compact-2026-01-12"}
    request = ParsedRequest("demo/markdown", True, EVENT["body"], headers=headers)
    await hand_over(services, context, reserved(store), request, CONTINUE)
    ((_, event),) = invoker.events
    assert event == {**EVENT, "headers": headers}


async def test_request_is_handed_over() -> None:
    """The event has what a worker needs; a worker that gets it runs the stream."""
    store = MemoryStore()
    invoker = Lambda()
    bench = Bench(store, invoker)
    services, context = handed(bench)
    request = ParsedRequest("demo/markdown", True, EVENT["body"])
    assert needs_worker(services, context, CONTINUE, detached=False)
    assert needs_worker(services, context, CANCEL, detached=True)
    assert not needs_worker(services, context, CANCEL, detached=False)
    stream = await hand_over(services, context, reserved(store), request, CONTINUE)
    ((function, event),) = invoker.events
    assert function == "arn:x"
    assert event == EVENT
    await bench.worker(event, Context())
    async with asyncio.timeout(5):
        while stream.tail.end is None:
            await asyncio.sleep(0.01)
    await services.hub.aclose()


async def test_request_that_lambda_does_not_take() -> None:
    """The caller gets the error, and the reserved log ends with it."""
    store = MemoryStore()
    refusal = ProxyError("No.", code="worker_unavailable", status=503, retryable=True)
    services, context = handed(Bench(store, Lambda(refusal)))
    request = ParsedRequest("demo/markdown", True, EVENT["body"])
    with pytest.raises(ProxyError) as caught:
        await hand_over(services, context, reserved(store), request, CONTINUE)
    assert caught.value is refusal
    log = store.logs[EVENT["stream"]]
    assert log.end is not None
    assert log.end.end is not None
    assert log.end.end.error is not None
    assert log.end.end.error.code == "worker_unavailable"


async def test_without_a_store_only_what_ends_with_its_response() -> None:
    """Without a store a stream that must outlive its response is a 501."""
    services, context = handed(Bench(None, Lambda()))
    assert not needs_worker(services, context, CONTINUE, detached=False)
    with pytest.raises(ClientError) as caught:
        needs_worker(services, context, CANCEL, detached=True)
    assert (caught.value.status, caught.value.code) == (501, "not_on_lambda")


async def test_events_have_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lambda takes a megabyte; and the error names only the code of what it refuses."""
    with pytest.raises(ProxyError) as caught:
        await LambdaInvoker().invoke("arn:x", b"x" * 1_000_001)
    assert (caught.value.status, caught.value.code) == (413, "request_too_large")
    monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(ProxyError) as caught:
        await LambdaInvoker().invoke("arn:x", b"{}")
    assert caught.value.code == "worker_unavailable"
    assert "127.0.0.1" not in str(caught.value)
