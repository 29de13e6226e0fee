"""Log lines as Lambda's own Python runtime writes them, each with its request's id."""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Mapping
from contextvars import ContextVar

from .wire import places

logger = logging.getLogger("lambda_asgi")

request_id: ContextVar[str] = ContextVar("aws_request_id", default="")
"""Of the invocation that this task works for: right under concurrency, unlike a variable."""


tenant_id: ContextVar[str] = ContextVar("aws_tenant_id", default="")
"""Likewise, for functions with tenant isolation."""


class TextFormatter(logging.Formatter):
    """``[LEVEL]``, time, request id and message, between tabs."""

    def format(self, record: logging.LogRecord) -> str:
        """One record."""
        message = super().format(record)
        return f"[{record.levelname}]\t{_time(record)}\t{request_id.get()}\t{message}"


class JsonFormatter(logging.Formatter):
    """One JSON object a line, in the keys that Lambda's own runtime uses for JSON logs.

    Args:
        in_full: Whether exceptions' text is logged, as ``errorMessage``.
    """

    def __init__(self, *, in_full: bool = False) -> None:
        super().__init__()
        self._in_full = in_full

    def format(self, record: logging.LogRecord) -> str:
        """One record."""
        line = {
            "timestamp": _time(record),
            "level": record.levelname,
            "message": record.__dict__.get("summary") or record.getMessage(),
            "logger": record.name,
            "requestId": request_id.get(),
            "tenantId": tenant_id.get(),
            **self._failure(record),
        }
        return json.dumps({key: value for key, value in line.items() if value})

    def _failure(self, record: logging.LogRecord) -> dict[str, object]:
        """What was raised and where; its text may quote a request, and stays out."""
        error = record.__dict__.get("failure") or (record.exc_info and record.exc_info[1])
        if error is None:
            return {}
        return {
            "errorType": type(error).__name__,
            "errorMessage": str(error) if self._in_full else "",
            "stackTrace": _stack(error),
            "location": f"{record.pathname}:{record.funcName}:{record.lineno}",
        }


def configure(environ: Mapping[str, str]) -> None:
    """Give the root logger a handler; before the app is imported, so that the app may change it."""
    is_json = environ.get("AWS_LAMBDA_LOG_FORMAT", "").lower() == "json"
    in_full = environ.get("LAMBDA_ASGI_TRACEBACKS") == "1"
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter(in_full=in_full) if is_json else TextFormatter())
    logging.basicConfig(handlers=[handler])
    level = environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper()
    if level in logging.getLevelNamesMapping():
        logging.getLogger().setLevel(level)


def failed(what: str, error: BaseException, *, in_full: bool) -> None:
    """Log that something raised: what and where, but not the exception's text.

    The text may quote a request or a key. ``in_full`` prints it all the same, for development.
    """
    if in_full:
        logger.error("%s", what, exc_info=error, stacklevel=2)
        return
    text = "\n  ".join([f"{what}: {type(error).__name__}", *_stack(error)])
    # A formatter of the app's own gets it all as text; ours for JSON has keys for the parts.
    parts = {"summary": what, "failure": error}
    logger.error("%s", text, extra=parts, stacklevel=2)


def _stack(error: BaseException) -> list[str]:
    """The places of an exception and of its cause."""
    cause = error.__cause__
    if cause is None:
        return places(error)
    return [*places(error), f"caused by {type(cause).__name__}", *places(cause)]


def _time(record: logging.LogRecord) -> str:
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    return f"{seconds}.{int(record.msecs):03d}Z"
