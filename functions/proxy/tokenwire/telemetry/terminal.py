"""Log lines for a person at a terminal: one a request, coloured by how it ended."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from time import localtime, strftime
from typing import Any

from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter

_RED, _GREEN, _YELLOW, _GREY = "31", "32", "33", "90"
_STANDARD = {*logging.makeLogRecord({}).__dict__, "message", "asctime", "taskName"}


class TerminalFormatter(LambdaPowertoolsFormatter):
    """Formats a record as one line.

    It has the same fields as the line of JSON, or fewer, so there is no prompt and no key in it.

    Args:
        color: Whether the terminal takes colours.
    """

    def __init__(self, *, color: bool) -> None:
        super().__init__()
        self._color = color

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        extra = {k: v for k, v in record.__dict__.items() if k not in _STANDARD}
        time = self._painted(strftime("%H:%M:%S", localtime(record.created)), _GREY)
        if record.msg == "request":
            return f"{time} {self._request(extra)}"
        if record.msg == "provider":
            color = _GREEN if extra["status"] == "ok" else _RED
            return f"{time} {extra['provider']}: {self._painted(extra['detail'], color)}"
        color = _RED if record.levelno >= logging.ERROR else _YELLOW
        level = self._painted(record.levelname.lower(), color)
        pairs = " ".join(f"{name}={value}" for name, value in extra.items())
        return f"{time} {level} {record.getMessage()} {pairs}".rstrip()

    def _request(self, line: Mapping[str, Any]) -> str:
        http = line["http"]
        status = http.get("response", {}).get("status_code", "-")
        parts = [
            http["request"]["method"],
            http.get("route", "-"),
            self._painted(str(status), _color_of(status)),
            *_facts(line),
        ]
        if error := line.get("error", {}).get("type"):
            parts.append(self._painted(error, _RED))
        return " ".join(parts)

    def _painted(self, text: str, color: str) -> str:
        return f"\x1b[{color}m{text}\x1b[0m" if self._color else text


def _color_of(status: object) -> str:
    if not isinstance(status, int) or status >= 500:
        return _RED
    return _YELLOW if status >= 400 else _GREEN


def _facts(line: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is known of the request's stream, and how long it took."""
    ai = line.get("gen_ai", {})
    if model := ai.get("request", {}).get("model"):
        yield str(model)
    if usage := ai.get("usage"):
        yield f"{usage.get('input_tokens', 0)}+{usage.get('output_tokens', 0)} tokens"
    if (ended := line.get("ms", {}).get("end")) is not None:
        yield f"{ended / 1000:.2f}s"
    if reason := line.get("end_reason"):
        yield str(reason)
