"""The one door through which a provider's failures come in, as errors of ours."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import httpx2

from ..errors import ClientError, ProxyError, TokenwireError, UpstreamError
from ..redaction import redact, word

_RETRY_AFTER = re.compile(r"\d{1,6}(?:\.\d{1,6})?")


def broken(error: Exception) -> UpstreamError:
    """A connection that broke while the answer was on its way."""
    return UpstreamError(
        "The connection to the provider broke off.", code="upstream_disconnected", retryable=True
    )


def malformed() -> UpstreamError:
    """An event of the provider's stream that is not what it should be."""
    return UpstreamError(
        "The provider sent an event that cannot be read.", code="upstream_malformed"
    )


# status: (code, message, status of ours). All of these may go well another time but the first.
_STATUSES: dict[int, tuple[str, str, int]] = {
    401: ("upstream_auth", "The provider refused this server's credentials.", 502),
    403: ("upstream_auth", "The provider refused this server's credentials.", 502),
    408: ("upstream_timeout", "The provider gave up waiting.", 504),
    429: ("upstream_rate_limited", "The provider is limiting this server's requests.", 429),
    503: ("upstream_overloaded", "The provider is overloaded.", 503),
    504: ("upstream_timeout", "The provider gave up waiting.", 504),
    529: ("upstream_overloaded", "The provider is overloaded.", 503),
}


def from_status(
    status: int, said: object, headers: Mapping[str, str], secrets: Iterable[str]
) -> TokenwireError:
    """What a provider's refusal means to our caller.

    Only the text of a request's own faults (400, 413, 422) is passed on, since without it
    nobody could mend the request; it is redacted, ``secrets`` first of all.

    Args:
        status: The provider's.
        said: The error object in its body, decoded; anything else says nothing.
        headers: Its response's, names in lower case.
        secrets: What went with the request.
    """
    error: Mapping[str, Any] = said if isinstance(said, Mapping) else {}
    secrets = tuple(secrets)
    if status in (400, 413, 422):
        return ClientError(
            redact(_text(error), secrets) or "The provider found the request at fault.",
            code=word(error.get("code"), secrets) or "invalid_request",
            status=status,
            param=word(error.get("param"), secrets),
        )
    if status == 404:
        return ClientError(
            "The provider has no such model.", code="model_not_found", status=404, param="model"
        )
    code, message, ours = _STATUSES.get(
        status, ("upstream_error", f"The provider answered with status {status}.", 502)
    )
    return UpstreamError(
        message,
        code=code,
        status=ours,
        retryable=code != "upstream_auth" and status >= 408,
        retry_after=_retry_after(headers),
    )


def unreachable(error: Exception) -> TokenwireError:
    """What a request that got no response means to our caller."""
    if is_timeout(error):
        return UpstreamError(
            "The provider could not be reached in time.",
            code="timeout_connect",
            status=504,
            retryable=True,
        )
    if isinstance(error, httpx2.InvalidURL | httpx2.UnsupportedProtocol):
        return ProxyError("The provider is not configured rightly.", code="bad_provider")
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
    """Whether time ran out, whatever the exception calls itself."""
    causes = list(_causes(error))
    # The aiohttp transport reports every broken connection as a connect timeout; what it
    # was in truth is the exception behind that.
    roots = [cause for cause in causes if type(cause).__module__.startswith("aiohttp")]
    if roots:
        return any(isinstance(root, TimeoutError) for root in roots)
    return any(isinstance(cause, httpx2.TimeoutException | TimeoutError) for cause in causes)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
