"""Log lines: the keys of Lambda's own runtime, without the text of exceptions."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from lambda_asgi import logs


def raised() -> Exception:
    """An exception with a cause, as it is caught."""
    try:
        look_up("sk-secret")
    except ValueError as error:
        return error
    raise AssertionError


def look_up(name: str) -> None:
    """Find nothing."""
    held: dict[str, str] = {}
    try:
        held[name]
    except KeyError as cause:
        raise ValueError(name) from cause


def record(error: Exception | None = None) -> logging.LogRecord:
    """What ``logger.exception`` of an app makes."""
    failure = (type(error), error, error.__traceback__) if error else None
    return logging.LogRecord(
        "app", logging.ERROR, "/var/task/app.py", 7, "it %s", ("broke",), failure, "work"
    )


def line(found: logging.LogRecord, *, in_full: bool = False) -> dict[str, Any]:
    """The record as one JSON line."""
    text = logs.JsonFormatter(in_full=in_full).format(found)
    assert "\n" not in text
    said: dict[str, Any] = json.loads(text)
    return said


def test_json_line_has_aws_s_keys() -> None:
    """An ordinary line: when, how grave, what, who, for which request and tenant."""
    logs.request_id.set("req-1")
    logs.tenant_id.set("blue")
    said = line(record())
    assert said.pop("timestamp").endswith("Z")
    assert said == {
        "level": "ERROR",
        "message": "it broke",
        "logger": "app",
        "requestId": "req-1",
        "tenantId": "blue",
    }


def test_json_line_of_an_exception_has_no_text_of_it() -> None:
    """Type, places and location have keys of their own; the text stays out unless asked for."""
    said = line(record(raised()))
    assert (said["message"], said["errorType"]) == ("it broke", "ValueError")
    assert said["location"] == "/var/task/app.py:work:7"
    assert said["stackTrace"][0].startswith(__file__)
    assert "caused by KeyError" in said["stackTrace"]
    assert "errorMessage" not in said
    assert "secret" not in json.dumps(said)
    assert line(record(raised()), in_full=True)["errorMessage"] == "sk-secret"


@pytest.mark.parametrize("in_full", [False, True])
def test_failed_invocation_has_the_same_keys(
    in_full: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """What the runtime itself logs of a failure; as text it has the places too."""
    logs.failed("the invocation failed", raised(), in_full=in_full)
    (found,) = caplog.records
    said = line(found, in_full=in_full)
    assert (said["message"], said["errorType"]) == ("the invocation failed", "ValueError")
    assert said["location"].startswith(f"{__file__}:test_failed_invocation_has_the_same_keys:")
    assert said["stackTrace"][0].startswith(__file__)
    assert ("secret" in json.dumps(said)) == in_full
    text = logs.TextFormatter().format(found)
    assert ("secret" in text) == in_full
    assert __file__ in text
