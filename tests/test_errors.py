"""The error tree, and its way into a dialect and back."""

from __future__ import annotations

import pytest

from tokenwire.dialects.protocol import as_event, as_exception
from tokenwire.errors import ClientError, ProxyError, TokenwireError, UpstreamError


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        (TokenwireError, 500, "internal_error"),
        (ClientError, 400, "invalid_request"),
        (UpstreamError, 502, "upstream_error"),
        (ProxyError, 500, "internal_error"),
    ],
)
def test_fault_has_a_status(kind: type[TokenwireError], status: int, code: str) -> None:
    """Whose fault it is tells the status and the code, unless something better is known."""
    plain, exact = kind("It failed."), kind("It failed.", status=418, code="teapot")

    assert (plain.status, plain.code) == (status, code)
    assert (exact.status, exact.code) == (418, "teapot")
    assert str(plain) == plain.message == "It failed."


@pytest.mark.parametrize("kind", [ClientError, UpstreamError, ProxyError])
def test_one_tree(kind: type[TokenwireError]) -> None:
    """One except clause is enough, and no fault is another's."""
    assert kind.__bases__ == (TokenwireError,)


def test_trying_again_is_not_the_default() -> None:
    """An error is retryable only if a retry may help."""
    error = UpstreamError("It failed.")
    assert (error.retryable, error.retry_after, error.param) == (False, None, None)


def test_error_survives_the_log() -> None:
    """As an event in a log and an exception again, an error loses nothing but its class."""
    error = ClientError("m", code="c", status=409, param="p", retryable=True, retry_after=2.5)

    event = as_event(error)
    again = as_exception(event)

    assert as_event(again) == event
    assert vars(again) == vars(error)
