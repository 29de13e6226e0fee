"""Format log lines as JSON, as Powertools does but faster."""

from __future__ import annotations

from typing import Any

import msgspec
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter


class JsonFormatter(LambdaPowertoolsFormatter):
    """Formats a record as Powertools does, in half the time.

    Powertools parses each message without arguments as JSON. No message of tokenwire is JSON, so
    each of them would cost an exception.
    """

    def __init__(self) -> None:
        super().__init__(json_deserializer=_unchanged)

    def serialize(self, log: Any) -> str:
        """Return the line; indented if ``POWERTOOLS_DEV`` is set, as Powertools does."""
        if self.json_indent is not None:
            return super().serialize(log)
        return msgspec.json.encode(log, enc_hook=str).decode()


def _unchanged(message: Any) -> Any:
    return message
