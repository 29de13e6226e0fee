"""Traces as the app makes them, with an implementation of our own in place of OpenTelemetry's."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from aws_lambda_powertools import Logger
from starlette.responses import PlainTextResponse

from tokenwire.dialects import DIALECTS
from tokenwire.http.middleware import Logged
from tokenwire.telemetry import (
    Metrics,
    Recorder,
    RequestLog,
    StreamRecord,
    StreamTimes,
)

_WITHOUT = """
import sys
sys.modules["opentelemetry.sdk.trace"] = None  # as if it were not installed
from tokenwire.app import create_app
from tokenwire.errors import ProxyError
from tokenwire.settings import Settings
try:
    create_app(Settings(otel=True))
except ProxyError as error:
    print(error.code, error)
"""


@dataclass
class Noted:
    """A trace and a tracing that note their calls."""

    calls: list[str] = field(default_factory=list)
    ids: tuple[str, str] = ("a" * 32, "b" * 16)
    headers: Mapping[str, str] = field(default_factory=dict)

    def start(self) -> None:
        """As ``Tracing``."""
        self.calls.append("start")

    def begin(self, method: str, headers: Iterable[tuple[bytes, bytes]]) -> Noted:
        """As ``Tracing``."""
        self.calls.append(f"begin {method}")
        return self

    def inference(self, stream_id: str, provider: str, model: str) -> Mapping[str, str]:
        """As ``Trace``."""
        return {}

    def joined(self, stream_id: str, last: str | None) -> None:
        """As ``Trace``."""

    def cancelled(self, stream_id: str) -> None:
        """As ``Trace``."""

    def ended(self, log: RequestLog) -> None:
        """As ``Trace``."""
        self.calls.append("ended")

    def stream_ended(self, stream: StreamRecord, times: StreamTimes) -> None:
        """As ``Tracing``."""

    def flush(self) -> None:
        """As ``Tracing``."""
        self.calls.append("flush")

    def close(self) -> None:
        """As ``Tracing``."""


def recorder(tracing: Noted | None, out: io.StringIO) -> Recorder:
    """A recorder that writes its lines here."""
    logger = Logger(service=f"test-{id(out)}", stream=out)
    return Recorder(logger, Metrics(lambda: 0, lambda: 0), tracing=tracing)


class Invocation:
    """Lambda's context of an invocation."""

    aws_request_id = "id"
    memory_limit_in_mb = 512

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the deadline."""
        return 1000


async def recorded(tracing: Noted | None, context: Invocation | None) -> dict[str, Any]:
    """The line of one request."""
    out = io.StringIO()
    logged = Logged(PlainTextResponse(), recorder(tracing, out), DIALECTS)
    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "headers": [],
        "aws.context": context,
    }

    async def nothing(*_: Any) -> Any:
        return {"type": "http.request"}

    await logged(scope, nothing, nothing)
    line: dict[str, Any] = json.loads(out.getvalue())
    return line


async def test_line_has_the_ids_of_the_trace() -> None:
    """So that a log can be found from a trace, and the other way round."""
    line = await recorded(Noted(), None)
    assert (line["trace_id"], line["span_id"]) == ("a" * 32, "b" * 16)


async def test_without_tracing_there_is_no_trace() -> None:
    """Nothing begins, and the line has no ids."""
    line = await recorded(None, None)
    assert "trace_id" not in line


async def test_only_lambda_waits_for_the_export() -> None:
    """A function's environment freezes after the response; a server sends in the background."""
    server, function = Noted(), Noted()
    await recorded(server, None)
    await recorded(function, Invocation())
    assert server.calls == ["begin GET", "ended"]
    assert function.calls == ["begin GET", "ended", "flush"]


@pytest.mark.outside
def test_missing_packages_are_a_bad_setting() -> None:
    """The message names the setting, and what to install."""
    run = subprocess.run(
        [sys.executable, "-c", _WITHOUT], capture_output=True, text=True, check=True
    )
    assert run.stdout.startswith("bad_setting TOKENWIRE_OTEL is on")
    assert "pip install 'tokenwire[otel]'" in run.stdout
