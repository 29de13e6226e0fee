"""Changes to requests for providers of the Chat API that deviate from its schema."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from ...dialects.protocol import JSON, ParsedRequest
from ...dialects.signatures import SKIP, extra_content, of_call, wants_signatures

Amend: TypeAlias = Callable[[ParsedRequest, str], JSON]
"""Return the body to send for a request and the provider's name of the model."""


def as_it_is(request: ParsedRequest, model: str) -> JSON:
    """Return the body unchanged."""
    return request.body


def streamed(body: JSON, model: str) -> JSON:
    """Return the body for this model, with ``stream`` and ``include_usage`` set."""
    options = {**(body.get("stream_options") or {}), "include_usage": True}
    return {**body, "model": model, "stream": True, "stream_options": options}


def for_openai(request: ParsedRequest, model: str) -> JSON:
    """Return a translated body without what OpenAI refuses and compatible servers accept.

    OpenAI's newer models accept only one name of the limit, most compatible servers only the
    other; signatures of Google's models are for Google. A caller's own body is not changed.
    """
    if not request.translated:
        return request.body
    body = dict(request.body)
    if "max_tokens" in body:
        body["max_completion_tokens"] = body.pop("max_tokens")
    return {**body, "messages": [_unsigned(message) for message in body["messages"]]}


def for_google(request: ParsedRequest, model: str) -> JSON:
    """Return the body with a signature in the first call of each turn.

    Gemini 3 and later refuse one without. Most clients drop what OpenAI's schema does not have, so
    Google's value for that case is put in its place.
    """
    if not wants_signatures(model):
        return request.body
    return {**request.body, "messages": [_signed(message) for message in request.body["messages"]]}


def _unsigned(message: JSON) -> JSON:
    if not message.get("tool_calls"):
        return message
    calls = [
        {name: value for name, value in call.items() if name != "extra_content"}
        for call in message["tool_calls"]
    ]
    return {**message, "tool_calls": calls}


def _signed(message: JSON) -> JSON:
    calls = message.get("tool_calls")
    if not calls or of_call(calls[0]):
        return message
    first = {**calls[0], "extra_content": extra_content(SKIP)}
    return {**message, "tool_calls": [first, *calls[1:]]}
