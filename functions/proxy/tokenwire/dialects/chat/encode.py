"""Encode events as ``chat.completion.chunk`` blocks."""

from __future__ import annotations

import re
import secrets
from dataclasses import replace

import msgspec

from ...events import Content, Error, Event, Finish, Reasoning, Start, ToolCall, Usage
from .. import signatures
from ..protocol import JSON
from ..terminator import DONE
from .repair import OBJECT, reason_of


class ChatEncoder:
    """Encoder of ``chat.completion.chunk`` blocks.

    Only the first ``Start`` is encoded; every chunk repeats its id. The last usage is sent in a
    chunk of its own before the terminator.

    Args:
        usage: Whether the client requested usage. Some clients fail on the usage chunk, which
            has no choices.
    """

    held = 0

    def __init__(self, *, usage: bool = True) -> None:
        self._with_usage = usage
        self._start: Start | None = None
        self._opened: set[int] = set()
        self._calling: set[int] = set()
        self._usage: Usage | None = None
        self._signature: str | None = None
        # What stands around a piece of text of the first choice.
        self._around: tuple[bytes, bytes] | None = None

    def encode(self, event: Event) -> list[bytes]:
        """Return the event's chunk; none for ``Start`` (in all chunks) and ``Usage`` (the last)."""
        match event:
            case Start():
                self._start = self._start or event
                return []
            case Usage():
                self._usage = event
                return []
            case Finish(reason=reason, choice=choice):
                finish_reason = reason_of(reason, has_calls=choice in self._calling)
                return [self._choice(choice, {}, finish_reason)]
            case Content(delta=delta, choice=choice, refusal=refusal):
                return [self._choice(choice, {"refusal" if refusal else "content": delta})]
            case Reasoning(delta=delta, choice=choice):
                self._signature = signatures.of_google(event.signature) or self._signature
                return [self._choice(choice, {"reasoning_content": delta})] if delta else []
            case ToolCall(choice=choice):
                self._calling.add(choice)
                return [self._choice(choice, {"tool_calls": [self._tool_call(event)]})]
            case _:
                return []

    def text_block(self, text: str) -> bytes | None:
        """As ``hotpath.WritesText``."""
        if self._around is None:
            if 0 not in self._opened:
                return None
            head, _, tail = self._choice(0, {"content": "\0"}).rpartition(rb'"\u0000"')
            self._around = (head, tail)
        head, tail = self._around
        return b"%b%b%b" % (head, msgspec.json.encode(text), tail)

    def _tool_call(self, event: ToolCall) -> JSON:
        """Return a piece of a call; the first carries the signature that Google requires back."""
        call = _tool_call(event)
        if self._signature is None or event.id is None:
            return call
        signature, self._signature = self._signature, None
        return {**call, "extra_content": signatures.extra_content(signature)}

    def end(self) -> list[bytes]:
        """Return the usage chunk, if usage is known and was requested, and ``[DONE]``."""
        counted = self._usage if self._with_usage else None
        return [self._chunk([], _usage(counted)), DONE] if counted else [DONE]

    def error(self, error: Error) -> list[bytes]:
        """Return one error object; the SDKs raise it as an ``APIError``."""
        return [b"data: " + msgspec.json.encode(error_body(error)) + b"\n\n"]

    def interrupt(self, error: Error) -> list[bytes]:
        """Return the same block as ``error``: it has no number and closes nothing."""
        return self.error(error)

    def _choice(self, index: int, delta: JSON, finish: str | None = None) -> bytes:
        if index not in self._opened:
            self._opened.add(index)
            delta = {"role": "assistant", **delta}
        return self._chunk([{"index": index, "delta": delta, "finish_reason": finish}])

    def _chunk(self, choices: list[JSON], usage: JSON | None = None) -> bytes:
        start = self._start or Start("", "")
        if not start.id:
            self._start = start = replace(start, id=f"chatcmpl-{secrets.token_urlsafe(12)}")
        chunk = {
            "id": start.id,
            "object": OBJECT,
            "created": start.created,
            "model": start.model,
            "choices": choices,
            **({"usage": usage} if usage else {}),
        }
        return b"data: " + msgspec.json.encode(chunk) + b"\n\n"


def _tool_call(event: ToolCall) -> JSON:
    function: JSON = {"arguments": event.arguments}
    if event.name is not None:
        function = {"name": event.name, **function}
    head: JSON = {"index": event.call}
    if event.id is not None:
        head |= {"id": event.id, "type": "function"}
    return {**head, "function": function}


def _usage(usage: Usage) -> JSON:
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {
            "cached_tokens": usage.cached_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
        },
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }


_NO_CHOICES = re.compile(rb'"choices"\s*:\s*\[\s*\]')
_SOME_USAGE = re.compile(rb'"usage"\s*:\s*\{')


def only_usage(block: bytes) -> bool:
    """Return whether the block is the usage chunk, which a client must request.

    Of several blocks together: False if none of them is.

    tokenwire always requests it from the provider. Some clients read ``choices[0]`` of every
    chunk, and this one has no choices.
    """
    if block.rfind(b'"usage"') < 0:  # ``in``, ``find`` and the pattern take longer
        return False
    return bool(_SOME_USAGE.search(block) and _NO_CHOICES.search(block))


_TYPES = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


def error_body(error: Error) -> JSON:
    """Return the error object of the OpenAI API."""
    default = "invalid_request_error" if 400 <= error.status < 499 else "server_error"
    return {
        "error": {
            "message": error.message,
            "type": _TYPES.get(error.status, default),
            "param": error.param,
            "code": error.code,
        }
    }
