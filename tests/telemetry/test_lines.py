"""Lines of JSON: the same as Powertools', byte for byte."""

from __future__ import annotations

import json
import logging
import sys
from typing import Any

import pytest
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

from tokenwire.telemetry.lines import JsonFormatter

EXTRA: dict[str, Any] = {
    "a": {"b": 1.5, "c": [1, None, "é\u2028"]},
    "o": complex(1, 2),
    "n": 2**70,
    "e": False,
}


def record(message: str, *args: object, error: bool = False, **extra: Any) -> logging.LogRecord:
    """A record as a logger makes it."""
    exception = sys.exc_info() if error else None
    made = logging.LogRecord("n", logging.INFO, "f.py", 7, message, args, exception)
    made.__dict__.update(extra)
    return made


def both(made: logging.LogRecord) -> tuple[str, str]:
    """A line of ours, and of Powertools."""
    formatters = JsonFormatter(), LambdaPowertoolsFormatter()
    for formatter in formatters:
        formatter.append_keys(service="tokenwire")
    ours, theirs = (formatter.format(made) for formatter in formatters)
    return ours, theirs


def test_line_is_the_same() -> None:
    """Fields of any kind, and a message with arguments."""
    for made in (record("request", **EXTRA), record("the pump failed: %s", "E")):
        ours, theirs = both(made)
        assert ours == theirs
        assert json.loads(ours)["service"] == "tokenwire"


def test_exception_is_the_same() -> None:
    """The type, the text and the frames."""
    try:
        int("why")
    except ValueError:
        ours, theirs = both(record("boom", error=True))

    assert ours == theirs
    assert json.loads(ours)["exception_name"] == "ValueError"


@pytest.mark.filterwarnings("ignore:POWERTOOLS_DEV")
def test_line_is_indented_in_development(monkeypatch: pytest.MonkeyPatch) -> None:
    """``POWERTOOLS_DEV``, as Powertools documents it."""
    monkeypatch.setenv("POWERTOOLS_DEV", "1")
    ours, theirs = both(record("request", **EXTRA))

    assert ours == theirs
    assert "\n" in ours
