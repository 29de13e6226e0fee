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


class TextFormatter(logging.Formatter):
    """``[LEVEL]``, time, request id and message, between tabs."""

    def format(self, record: logging.LogRecord) -> str:
        """One record."""
        said = super().format(record)
        return f"[{record.levelname}]\t{_time(record)}\t{request_id.get()}\t{said}"


class JsonFormatter(logging.Formatter):
    """One JSON object a line, in the keys of ``AWS_LAMBDA_LOG_FORMAT=JSON``."""

    def format(self, record: logging.LogRecord) -> str:
        """One record."""
        line = {
            "timestamp": _time(record),
            "level": record.levelname,
            "message": super().format(record),
            "logger": record.name,
            "requestId": request_id.get(),
        }
        return json.dumps({key: value for key, value in line.items() if value})


def configure(environ: Mapping[str, str]) -> None:
    """Give the root logger a handler; before the app is imported, so that the app may change it."""
    is_json = environ.get("AWS_LAMBDA_LOG_FORMAT", "").lower() == "json"
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonFormatter() if is_json else TextFormatter())
    logging.basicConfig(handlers=[handler])
    level = environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper()
    if level in logging.getLevelNamesMapping():
        logging.getLogger().setLevel(level)


def failed(what: str, error: BaseException, *, in_full: bool) -> None:
    """Say that something raised: what and where, but not the exception's text.

    The text may quote a request or a key. ``in_full`` prints it all the same, for development.
    """
    if in_full:
        logger.error("%s", what, exc_info=error)
        return
    said = "\n  ".join([f"{what}: {type(error).__name__}", *places(error)])
    if (cause := error.__cause__) is not None:
        said += "\n" + "\n  ".join([f"caused by {type(cause).__name__}", *places(cause)])
    logger.error("%s", said)


def _time(record: logging.LogRecord) -> str:
    seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    return f"{seconds}.{int(record.msecs):03d}Z"
