"""Encode Anthropic Messages streams."""

from __future__ import annotations

import msgspec

from ...events import Citation, Content, Error, Event, Finish, Reasoning, Start, ToolCall, Usage
from ...sse import event_block
from ..depth import parsed
from ..protocol import JSON

STOP_REASONS = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "content_filter": "refusal",
}
_ALL_REASONS = frozenset(
    {*STOP_REASONS.values(), "stop_sequence", "pause_turn", "model_context_window_exceeded"}
)

_TEXT_HEAD = event_block(
    "content_block_delta",
    b'{"type":"content_block_delta","index":%d,"delta":{"type":"text_delta","text":',
).removesuffix(b"\n\n")


class MessagesEncoder:
    """Encoder of one message: blocks of text, thinking and tool use.

    Of parallel choices only the first is encoded: a message has one. Usage and the stop reason are
    in the last events, so they are kept until the end.
    """

    held = 0

    def __init__(self) -> None:
        self._started = False
        self._kind = ""
        self._text_head = b""
        self._count = 0
        self._open: list[int] = []
        self._calls: dict[int, int] = {}
        self._finish: Finish | None = None
        self._usage = Usage(0, 0)

    def encode(self, event: Event) -> list[bytes]:
        """Return the event's blocks; nothing for usage and finish, which are sent at the end."""
        if getattr(event, "choice", 0):
            return []
        if isinstance(event, Content):
            return self._in("text", {"text": ""}, {"type": "text_delta", "text": event.delta})
        return self._rare(event)

    def text_block(self, text: str) -> bytes | None:
        """As ``hotpath.WritesText``."""
        if not self._text_head:
            return None
        return b"%b%b}}\n\n" % (self._text_head, msgspec.json.encode(text))

    def _rare(self, event: Event) -> list[bytes]:
        match event:
            case Start():
                return self._start(event)
            case Reasoning():
                return self._think(event)
            case Citation():
                return self._cite(event)
            case ToolCall():
                return self._call(event)
            case Usage():
                self._usage = event
            case Finish():
                self._finish = event
        return []

    def _start(self, start: Start) -> list[bytes]:
        if self._started:
            return []
        self._started = True
        message: JSON = {
            "id": start.id if start.id.startswith("msg_") else f"msg_{start.id}",
            "type": "message",
            "role": "assistant",
            "model": start.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": {"input_tokens": 0, "output_tokens": 0},
        }
        return [_block("message_start", {"message": message})]

    def _in(self, kind: str, empty: JSON, delta: JSON) -> list[bytes]:
        """Return a delta for a block of this type, after its start if none is open."""
        opened = [] if self._kind == kind else self._opened(kind, {"type": kind, **empty})
        piece = {"index": self._count - 1, "delta": delta}
        return [*opened, _block("content_block_delta", piece)]

    def _think(self, event: Reasoning) -> list[bytes]:
        empty = {"thinking": "", "signature": ""}
        if event.redacted:
            block = {"type": "redacted_thinking", "data": event.redacted}
            return [*self._opened("redacted", block), *self._closed()]
        if event.signature:
            sign = {"type": "signature_delta", "signature": event.signature}
            # Reasoning after a signature belongs to another block.
            return [*self._in("thinking", empty, sign), *self._closed()]
        return self._in("thinking", empty, {"type": "thinking_delta", "thinking": event.delta})

    def _cite(self, event: Citation) -> list[bytes]:
        try:
            citation: JSON = parsed(event.data, dict)
        except ValueError:
            citation = {
                "type": "web_search_result_location",
                "url": event.url,
                "title": event.title,
                "cited_text": event.text,
                "encrypted_index": "",
            }
        return self._in("text", {"text": ""}, {"type": "citations_delta", "citation": citation})

    def _call(self, event: ToolCall) -> list[bytes]:
        blocks: list[bytes] = []
        if event.call not in self._calls:
            # Parallel calls stay open together: their pieces may be interleaved.
            blocks = [] if self._kind == "tool" else self._closed()
            head = {"type": "tool_use", "id": event.id or f"toolu_{event.call}"}
            blocks += self._add("tool", {**head, "name": event.name or "", "input": {}})
            self._calls[event.call] = self._count - 1
        if event.arguments:
            delta = {"type": "input_json_delta", "partial_json": event.arguments}
            piece = {"index": self._calls[event.call], "delta": delta}
            blocks.append(_block("content_block_delta", piece))
        return blocks

    def _opened(self, kind: str, block: JSON) -> list[bytes]:
        return [*self._closed(), *self._add(kind, block)]

    def _add(self, kind: str, block: JSON) -> list[bytes]:
        index = self._count
        self._kind, self._count = kind, index + 1
        self._text_head = _TEXT_HEAD % index if kind == "text" else b""
        self._open.append(index)
        return [_block("content_block_start", {"index": index, "content_block": block})]

    def _closed(self) -> list[bytes]:
        closing, self._open, self._kind, self._text_head = self._open, [], "", b""
        return [_block("content_block_stop", {"index": index}) for index in closing]

    def end(self) -> list[bytes]:
        """Return the end of the open blocks, the stop reason and usage, and ``message_stop``."""
        started = self._start(Start("", ""))
        delta = {"stop_reason": self._reason(), "stop_sequence": self._sequence()}
        last = {"delta": delta, "usage": _usage(self._usage)}
        closed = self._closed()
        return [*started, *closed, _block("message_delta", last), _block("message_stop", {})]

    def _reason(self) -> str:
        finish = self._finish or Finish("stop")
        if finish.detail in _ALL_REASONS:
            return finish.detail
        if finish.reason == "stop" and self._calls:
            return "tool_use"  # some compatible servers end a call with "stop"
        return STOP_REASONS.get(finish.reason, "end_turn")

    def _sequence(self) -> str | None:
        return (self._finish.sequence if self._finish else "") or None

    def error(self, error: Error) -> list[bytes]:
        """Return the ``error`` event, which the SDKs raise."""
        return [_block("error", error_body(error))]

    def interrupt(self, error: Error) -> list[bytes]:
        """Return the same block as ``error``: it has no number and closes nothing."""
        return self.error(error)


def _block(name: str, body: JSON) -> bytes:
    return event_block(name, msgspec.json.encode({"type": name, **body}))


def _usage(usage: Usage) -> JSON:
    return {
        "input_tokens": usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens,
        "output_tokens": usage.output_tokens,
        "cache_read_input_tokens": usage.cached_tokens,
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "output_tokens_details": {"thinking_tokens": usage.reasoning_tokens},
    }


_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
    529: "overloaded_error",
}


def error_body(error: Error) -> JSON:
    """Return the error object of the Anthropic API; ``code`` and ``param`` are additions."""
    default = "invalid_request_error" if 400 <= error.status < 499 else "api_error"
    body: JSON = {"type": _TYPES.get(error.status, default), "message": error.message}
    if error.code == "thread_unsupported_request":
        # The SDKs read the code here and repeat the request without a thread.
        body["details"] = {"error_code": error.code, "unsupported": [error.param]}
    return {"type": "error", "error": {**body, "code": error.code, "param": error.param}}
