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
    fields: dict[str, Any] = json.loads(text)
    return fields


def test_json_line_has_aws_s_keys() -> None:
    """An ordinary line: when, how grave, what, who, for which request and tenant."""
    logs.request_id.set("req-1")
    logs.tenant_id.set("blue")
    fields = line(record())
    assert fields.pop("timestamp").endswith("Z")
    assert fields == {
        "level": "ERROR",
        "message": "it broke",
        "logger": "app",
        "requestId": "req-1",
        "tenantId": "blue",
    }


def test_json_line_of_an_exception_has_no_text_of_it() -> None:
    """Type, places and location have keys of their own; the text is logged only if configured."""
    fields = line(record(raised()))
    assert (fields["message"], fields["errorType"]) == ("it broke", "ValueError")
    assert fields["location"] == "/var/task/app.py:work:7"
    assert fields["stackTrace"][0].startswith(__file__)
    assert "caused by KeyError" in fields["stackTrace"]
    assert "errorMessage" not in fields
    assert "secret" not in json.dumps(fields)
    assert line(record(raised()), in_full=True)["errorMessage"] == "sk-secret"


@pytest.mark.parametrize("in_full", [False, True])
def test_failed_invocation_has_the_same_keys(
    in_full: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """What the runtime itself logs of a failure; as text it has the places too."""
    logs.failed("the invocation failed", raised(), in_full=in_full)
    (found,) = caplog.records
    fields = line(found, in_full=in_full)
    assert (fields["message"], fields["errorType"]) == ("the invocation failed", "ValueError")
    assert fields["location"].startswith(f"{__file__}:test_failed_invocation_has_the_same_keys:")
    assert fields["stackTrace"][0].startswith(__file__)
    assert ("secret" in json.dumps(fields)) == in_full
    text = logs.TextFormatter().format(found)
    assert ("secret" in text) == in_full
    assert __file__ in text
