"""The log line: one JSON object per request, its fields by allow-list.

There is no way to hand it a prompt, an answer or a key: every field is named here, and none
holds free text. Names follow the OpenTelemetry semantic conventions (``gen_ai.…``, ``http.…``)
as nested objects, so that ``gen_ai.request.model`` is a path in CloudWatch Logs Insights.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from aws_lambda_powertools import Logger

from .function import FunctionRecord
from .tracing import Trace

_SAFE = re.compile(r"[A-Za-z0-9._:/@+-]{1,128}")


@dataclass(slots=True)
class Instants:
    """When events happened, in seconds since the request arrived; None if they did not."""

    first_upstream_byte: float | None = None
    first_content: float | None = None
    first_delivered: float | None = None
    end: float | None = None


@dataclass(slots=True)
class StreamRecord:
    """The stream of a request, as far as it is known.

    ``kept`` is whether the store has all that it should have by now.
    """

    id: str
    provider: str
    request_model: str
    response_model: str | None = None
    finish_reasons: list[str] = field(default_factory=list)
    input_tokens: int | None = None
    output_tokens: int | None = None
    end_reason: str | None = None
    error_code: str | None = None
    blocks: int = 0
    bytes: int = 0
    attempts: list[tuple[str, str | None]] = field(default_factory=list)
    kept: bool | None = None


@dataclass(frozen=True, slots=True)
class StreamTimes:
    """When events of a stream happened, in seconds since it started; None if they did not."""

    duration: float
    first_upstream_byte: float | None = None
    first_content: float | None = None


@dataclass(slots=True)
class RequestLog:
    """One request. Filled in while it runs; written once, at its end.

    ``started`` is whether this request started the stream; otherwise it views it. ``trace`` is
    None if tracing is off.
    """

    request_id: str
    method: str
    route: str | None = None
    status: int | None = None
    caller: str | None = None
    dialect: str | None = None
    error_code: str | None = None
    stream: StreamRecord | None = None
    started: bool = False
    resumed_from: str | None = None
    delivered_blocks: int | None = None
    delivered_bytes: int = 0
    heartbeats: int | None = None
    disconnected: bool = False
    instants: Instants = field(default_factory=Instants)
    function: FunctionRecord | None = None
    trace: Trace | None = None

    @property
    def failure(self) -> str | None:
        """The code of the failure of the request, or of the stream that it started."""
        of_stream = self.stream.error_code if self.stream and self.started else None
        return plain_name(self.error_code or of_stream)

    @property
    def own_error(self) -> str | None:
        """The error of the request alone: None where it only repeats its stream's, which counts."""
        of_stream = self.stream.error_code if self.stream else None
        return None if self.error_code == of_stream else self.error_code

    def line(self) -> dict[str, Any]:
        """Return the fields of the line, without those that are not known."""
        stream, function = self.stream, self.function
        trace_id, span_id = self.trace.ids if self.trace else (None, None)
        return _known(
            {
                "request_id": self.request_id,
                "stream_id": stream and stream.id,
                "trace_id": trace_id,
                "span_id": span_id,
                "caller": self.caller,
                "http": {
                    "request": {"method": self.method},
                    "route": self.route,
                    "response": {"status_code": self.status},
                },
                "dialect": self.dialect,
                "gen_ai": stream and _gen_ai(stream),
                "end_reason": stream and stream.end_reason,
                "error": {
                    "type": plain_name(self.error_code or (stream.error_code if stream else None))
                },
                "attempts": stream and _attempts(stream),
                "store": _KEPT[stream.kept if stream else None],
                "upstream": stream and {"blocks": stream.blocks, "bytes": stream.bytes},
                "delivered": {"blocks": self.delivered_blocks, "bytes": self.delivered_bytes},
                "heartbeats": self.heartbeats,
                "disconnected": self.disconnected or None,
                "resumed_from": self.resumed_from,
                "ms": {
                    name: _ms(getattr(self.instants, name))
                    for name in Instants.__dataclass_fields__
                },
                "function_request_id": function and function.request_id,
                "cold_start": function and function.cold_start,
                "remaining_ms": function and function.remaining_ms,
                "memory_mb": function and function.memory_mb,
            }
        )


_KEPT = {None: None, True: "kept", False: "degraded"}


def write(logger: Logger, record: RequestLog) -> None:
    """Write the line. The logger gets no state: concurrent requests share it."""
    logger.info("request", extra=record.line())


def _gen_ai(stream: StreamRecord) -> dict[str, Any]:
    return {
        "provider": {"name": stream.provider},
        "request": {"model": plain_name(stream.request_model)},
        "response": {
            "model": plain_name(stream.response_model),
            "finish_reasons": [plain_name(reason) for reason in stream.finish_reasons],
        },
        "usage": {"input_tokens": stream.input_tokens, "output_tokens": stream.output_tokens},
    }


def _attempts(stream: StreamRecord) -> list[dict[str, Any]]:
    """Return the providers that were tried, if more than one."""
    if len(stream.attempts) < 2:
        return []
    return [
        _known({"model": plain_name(model), "error": plain_name(error)})
        for model, error in stream.attempts
    ]


def plain_name(name: str | None) -> str | None:
    """Return a name that may be recorded; ``invalid`` instead of one that may be free text.

    Model names, finish reasons and some codes are text from outside.
    """
    return name if not name or is_recordable(name) else "invalid"


def is_recordable(name: str) -> bool:
    """Return whether a text from outside has the form of a name, so that it may be recorded."""
    return _SAFE.fullmatch(name) is not None


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 1)


def _known(value: dict[str, Any]) -> dict[str, Any]:
    kept = {}
    for name, item in value.items():
        found = _known(item) if type(item) is dict else item
        if found or found == 0:  # not None, and not empty
            kept[name] = found
    return kept
