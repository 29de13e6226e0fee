"""Parse a request for typed events and translate it to ``chat``."""

from __future__ import annotations

import msgspec

from ...errors import ClientError
from ..chat.schema import Options
from ..origins import made, moved
from ..protocol import JSON, ParsedRequest
from ..schema import check
from .schema import Request

_KNOWN = frozenset(field.name for field in msgspec.structs.fields(Request))
_PASSED = tuple(field.name for field in msgspec.structs.fields(Options))


def parse(raw: object) -> ParsedRequest:
    """Validate ``{"message": "…"}`` or ``{"messages": […]}`` and the options of ``events.schema``.

    Raises:
        ClientError: A field is missing, malformed or unknown; ``param`` names it.
    """
    body = check(raw, Request)
    for name, value in body.items():
        if name not in _KNOWN and value is not None:
            raise ClientError(
                f"{name} is not a parameter of this route.", code="unknown_parameter", param=name
            )
    model = body.get("model") or ""
    passed = {name: body[name] for name in _PASSED if name in body}
    chat: JSON = {**passed, "model": model, "messages": _messages(body)}
    return ParsedRequest(
        model=model, stream=True, body=made("", chat), on_disconnect=body.get("on_disconnect")
    )


def _messages(body: JSON) -> list[JSON]:
    message, messages = body.get("message"), body.get("messages")
    if (message is None) == (messages is None):
        raise ClientError(
            "Exactly one of message and messages is required.",
            code="missing_required_parameter",
            param="message",
        )
    if message is not None:
        turns = [made("message", {"role": "user", "content": message})]
    else:
        turns = [moved(f"messages[{n}]", turn) for n, turn in enumerate(messages or ())]
    system = body.get("system")
    return (
        turns if system is None else [made("system", {"role": "system", "content": system}), *turns]
    )
