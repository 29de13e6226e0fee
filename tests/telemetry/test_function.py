"""Fields of the log line about a Lambda invocation."""

from __future__ import annotations

import io
import json
from dataclasses import dataclass
from typing import Any

from aws_lambda_powertools import Logger

from tokenwire.telemetry import FunctionRecord, RequestLog, function_of, write


@dataclass
class Stock:
    """The context of Lambda's own Python runtime, whose memory is a string."""

    aws_request_id: str = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"
    memory_limit_in_mb: str = "512"

    def get_remaining_time_in_millis(self) -> int:
        """Return the milliseconds until the deadline."""
        return 1234


@dataclass
class Cold(Stock):
    """A context with the age of its environment."""

    cold_start: bool = True


def test_scope_tells_of_the_invocation() -> None:
    """Both runtimes provide the fields; outside Lambda there are none."""
    stock = function_of({"type": "http", "aws.context": Stock()})
    assert stock == FunctionRecord("8476a536-e9f4-11e8-9739-2dfe598c3fcd", 1234, 512, None)
    cold = function_of({"type": "http", "aws.context": Cold()})
    assert cold is not None
    assert cold.cold_start is True
    assert function_of({"type": "http"}) is None


def result(function: FunctionRecord | None) -> dict[str, Any]:
    """Return the line of a request under this function."""
    out = io.StringIO()
    write(Logger(service=f"test-{id(out)}", stream=out), RequestLog("r", "GET", function=function))
    found: dict[str, Any] = json.loads(out.getvalue())
    names = ("function_request_id", "cold_start", "remaining_ms", "memory_mb")
    return {name: found[name] for name in names if name in found}


def test_line_names_the_invocation() -> None:
    """The line has Lambda's request id, so it can be matched with Lambda's report."""
    assert result(FunctionRecord("id", 0, 512, cold_start=False)) == {
        "function_request_id": "id",
        "cold_start": False,
        "remaining_ms": 0,
        "memory_mb": 512,
    }
    assert result(None) == {}
