"""One failure of a provider is one error of ours, before the stream and inside it."""

from __future__ import annotations

import json

import pytest

from tokenwire.dialects import DIALECTS
from tokenwire.dialects.upstream import FAILURES
from tokenwire.events import Error
from tokenwire.providers.failures import from_status
from tokenwire.providers.gemini.decode import GeminiReader

CHAT, MESSAGES, RESPONSES, GEMINI = "chat", "messages", "responses", "gemini"


def inside(provider: str, name: str) -> Error:
    """The error of a stream in which the provider reports this failure."""
    body: dict[str, object] = {"type": "error", "error": {"type": name, "message": "x"}}
    if provider == RESPONSES:
        body = {"type": "error", "code": name, "message": "x"}
    block = b"event: error\ndata: " + json.dumps(body).encode() + b"\n\n"
    if provider == GEMINI:
        failure = {"error": {"code": 1, "status": name, "message": "x"}}
        block = b"data: " + json.dumps(failure).encode() + b"\n\n"
        block = b"".join(GeminiReader("m").feed(block))
        provider = MESSAGES
    [error] = DIALECTS[provider].decoder().decode(block)
    assert isinstance(error, Error)
    return error


@pytest.mark.parametrize(
    ("status", "code", "named"),
    [
        (
            429,
            "upstream_rate_limited",
            [
                (CHAT, "rate_limit_exceeded"),
                (MESSAGES, "rate_limit_error"),
                (RESPONSES, "rate_limit_exceeded"),
                (GEMINI, "RESOURCE_EXHAUSTED"),
            ],
        ),
        (
            503,
            "upstream_overloaded",
            [
                (CHAT, "service_unavailable"),
                (MESSAGES, "overloaded_error"),
                (RESPONSES, "server_overloaded"),
                (GEMINI, "UNAVAILABLE"),
            ],
        ),
        (401, "upstream_auth", [(CHAT, "auth_error"), (MESSAGES, "authentication_error")]),
        (504, "upstream_timeout", [(MESSAGES, "timeout_error"), (GEMINI, "DEADLINE_EXCEEDED")]),
        (500, "upstream_error", [(CHAT, "odd"), (MESSAGES, "odd"), (RESPONSES, "odd")]),
    ],
)
def test_same_failure_same_code(status: int, code: str, named: list[tuple[str, str]]) -> None:
    """A status before the stream and each provider's own name inside it lead to one row."""
    before = from_status(status, None, {}, ())
    assert (before.code, before.status) == (code, FAILURES[code].status)
    for provider, name in named:
        error = inside(provider, name)
        assert (error.code, error.retryable) == (code, before.retryable), provider
        assert error.message == "The provider reported an error in its stream."


def test_status_that_is_not_named() -> None:
    """It is in the message, and what is below 408 is not worth another try."""
    for status, retryable in ((402, False), (418, True), (599, True)):
        error = from_status(status, None, {}, ())
        assert (error.code, error.retryable) == ("upstream_error", retryable)
        assert str(status) in error.message
