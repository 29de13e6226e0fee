"""The failures of providers before and around a stream, as tokenwire's errors."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import httpx2

from ..dialects.upstream import FAILURES
from ..errors import ClientError, ProxyError, TokenwireError, UpstreamError
from ..redaction import redact, word

_RETRY_AFTER = re.compile(r"\d{1,6}(?:\.\d{1,6})?")


def broken() -> UpstreamError:
    """Return the error for a connection that broke during a response."""
    return UpstreamError(
        "The connection to the provider broke off.", code="upstream_disconnected", retryable=True
    )


_STATUSES = {
    401: "upstream_auth",
    403: "upstream_auth",
    408: "upstream_timeout",
    429: "upstream_rate_limited",
    503: "upstream_overloaded",
    504: "upstream_timeout",
    529: "upstream_overloaded",
}


def from_status(
    status: int, body: object, headers: Mapping[str, str], secrets: Iterable[str]
) -> TokenwireError:
    """Return the error for a response with a status of failure.

    The provider's text is passed on only for the request's own faults (400, 413, 422), which
    a caller cannot correct without it. It is redacted, ``secrets`` first of all.

    Args:
        status: The provider's.
        body: The error object of the response, decoded; anything else is ignored.
        headers: Of the response, names in lower case.
        secrets: Keys, and the values of secret headers and parameters, of the request.
    """
    error: Mapping[str, Any] = body if isinstance(body, Mapping) else {}
    if status in (400, 413, 422):
        return _refused(status, error, tuple(secrets))
    if status == 404:
        return ClientError(
            "The provider has no such model.", code="model_not_found", status=404, param="model"
        )
    code = _STATUSES.get(status, "upstream_error")
    failure = FAILURES[code]
    is_named = status in _STATUSES
    return UpstreamError(
        failure.message if is_named else f"The provider answered with status {status}.",
        code=code,
        status=failure.status,
        retryable=failure.retryable and status >= 408,
        retry_after=_retry_after(headers),
    )


def _refused(status: int, error: Mapping[str, Any], secrets: tuple[str, ...]) -> ClientError:
    return ClientError(
        redact(_text(error), secrets) or FAILURES["upstream_invalid_request"].message,
        code=word(error.get("code"), secrets) or "invalid_request",
        status=status,
        param=word(error.get("param"), secrets),
    )


def unreachable(error: Exception) -> TokenwireError:
    """Return the error for a request that got no response."""
    if is_timeout(error):
        return UpstreamError(
            "The provider could not be reached in time.",
            code="timeout_connect",
            status=504,
            retryable=True,
        )
    if isinstance(error, httpx2.InvalidURL | httpx2.UnsupportedProtocol):
        return ProxyError("The provider is not configured correctly.", code="bad_provider")
    return UpstreamError(
        "The provider could not be reached.", code="upstream_unreachable", retryable=True
    )


def _text(error: Mapping[str, Any]) -> str:
    message = error.get("message")
    return message if isinstance(message, str) else ""


def _retry_after(headers: Mapping[str, str]) -> float | None:
    value = headers.get("retry-after", "")
    return min(float(value), 3600.0) if _RETRY_AFTER.fullmatch(value) else None


def is_timeout(error: Exception) -> bool:
    """Return whether a time limit caused the exception, whatever its class."""
    return any(
        isinstance(cause, httpx2.TimeoutException | TimeoutError) for cause in _causes(error)
    )


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
