"""Embedded Metric Format: one line per request, valid for CloudWatch and under concurrency."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import Iterable
from typing import Any

import pytest

from tokenwire.telemetry import Emf, Instants, RequestLog, StreamRecord


def lines(records: Iterable[RequestLog]) -> list[dict[str, Any]]:
    """Return the lines written for these requests."""
    out = io.StringIO()
    emf = Emf("Tokenwire", out)
    for record in records:
        emf.write(record)
    return [json.loads(line) for line in out.getvalue().splitlines()]


def answered(number: int = 1, provider: str = "openai") -> RequestLog:
    """Return a request with a completed stream and its own numbers."""
    stream = StreamRecord(
        f"st_{number}", provider, "m", input_tokens=number, output_tokens=2 * number
    )
    instants = Instants(first_content=number / 10, end=float(number))
    return RequestLog(
        f"req_{number}", "POST", status=200, stream=stream, started=True, instants=instants
    )


def refused(code: str, status: int) -> RequestLog:
    """Return a request that ended before it had a stream."""
    return RequestLog("req_1", "POST", status=status, error_code=code)


def series(line: dict[str, Any]) -> dict[str, float]:
    """Return the metrics of a line, after checking it against the specification.

    Every metric and every dimension that the directive names must be a member of the line:
    metrics numbers, dimensions text.
    """
    assert isinstance(line["_aws"]["Timestamp"], int)
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "Tokenwire"
    for names in directive["Dimensions"]:
        assert all(isinstance(line[name], str) for name in names)
    found = {}
    for metric in directive["Metrics"]:
        (found[metric["Name"]],) = line[metric["Name"]]
    return found


def dimensions(line: dict[str, Any]) -> list[dict[str, str]]:
    """Return the dimension sets of a line, with their values."""
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    return [{name: line[name] for name in names} for names in directive["Dimensions"]]


def test_stream_is_counted() -> None:
    """A line has the stream, its tokens and its times in milliseconds, by service and provider."""
    (line,) = lines([answered(3)])
    assert series(line) == {
        "Streams": 1,
        "InputTokens": 3,
        "OutputTokens": 6,
        "TimeToFirstContent": 300,
        "Duration": 3000,
    }
    assert dimensions(line) == [
        {"service": "tokenwire"},
        {"service": "tokenwire", "Provider": "openai"},
    ]
    assert line["request_id"] == "req_3"
    units = {m["Name"]: m["Unit"] for m in line["_aws"]["CloudWatchMetrics"][0]["Metrics"]}
    assert (units["Duration"], units["Streams"]) == ("Milliseconds", "Count")


def test_stream_without_content_has_no_first() -> None:
    """A time that was not measured is omitted, not zero."""
    record = answered()
    record.instants.first_content = None
    (line,) = lines([record])
    assert "TimeToFirstContent" not in series(line)


def test_watcher_is_not_counted() -> None:
    """A stream's tokens are counted only for the request that started it."""
    watching = answered()
    watching.started = False
    assert watching.stream
    watching.stream.error_code = "upstream_error"
    assert lines([watching, RequestLog("req_1", "GET", status=200)]) == []


@pytest.mark.parametrize(
    ("code", "status", "name"),
    [
        ("internal_error", 500, "Errors"),
        ("secret_unavailable", 503, "Errors"),
        ("upstream_rate_limited", 429, "Errors"),
        ("invalid_api_key", 401, "Refusals"),
        ("not_found", 404, "Refusals"),
    ],
)
def test_failures_say_whose(code: str, status: int, name: str) -> None:
    """A wrong key does not count as an error of the service."""
    (line,) = lines([refused(code, status)])
    assert series(line) == {name: 1}
    assert dimensions(line) == [{"service": "tokenwire"}, {"service": "tokenwire", "Code": code}]


def test_stream_that_breaks_is_an_error() -> None:
    """An error inside a stream counts, also after a 200."""
    record = answered()
    assert record.stream
    record.stream.error_code = "upstream_truncated"
    (line,) = lines([record])
    assert series(line)["Errors"] == series(line)["Streams"] == 1
    assert {"service": "tokenwire", "Code": "upstream_truncated"} in dimensions(line)


def test_leaving_is_no_failure() -> None:
    """Cancelling and disconnecting are not errors."""
    stopped = answered()
    assert stopped.stream
    stopped.stream.error_code = "cancelled"
    (line,) = lines([stopped, refused("client_disconnected", 499)])
    assert "Errors" not in series(line)


def test_codes_are_bounded() -> None:
    """The number of error codes is limited, since each dimension value costs money."""
    found = lines(refused(f"upstream_{number}", 502) for number in range(200))
    found += lines([refused("a sentence, not a code", 502)])
    codes = {line["Code"] for line in found}
    assert len(codes) == 34
    assert {"other", "invalid"} < codes


async def test_concurrent_requests_keep_their_numbers() -> None:
    """Each line has the numbers of one request, with overlapping requests too."""
    out = io.StringIO()
    emf = Emf("Tokenwire", out)
    providers = ("openai", "demo", "groq")

    async def request(number: int) -> None:
        record = answered(number, providers[number % 3])
        for _ in range(number % 7):
            await asyncio.sleep(0)
        if number % 2:
            record.error_code = f"code_{number % 5}"
        emf.write(record)

    await asyncio.gather(*(request(number) for number in range(1, 101)))

    found = {line["request_id"]: line for line in map(json.loads, out.getvalue().splitlines())}
    assert len(found) == 100
    for number in range(1, 101):
        line = found[f"req_{number}"]
        result = series(line)
        assert (result["InputTokens"], result["OutputTokens"]) == (number, 2 * number)
        assert (result["Duration"], result["Streams"]) == (1000 * number, 1)
        assert line["Provider"] == providers[number % 3]
        assert line.get("Code") == (f"code_{number % 5}" if number % 2 else None)


def test_lines_go_to_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    """The lines are written to standard output, where Lambda reads them."""
    Emf("Tokenwire").write(answered())
    assert series(json.loads(capsys.readouterr().out))["Streams"] == 1
