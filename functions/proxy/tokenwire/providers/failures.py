"""The one door through which a provider's failures come in, as errors of ours."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import httpx2
import openai

from ..errors import ClientError, ProxyError, TokenwireError, UpstreamError

_MAX_TEXT = 500
_PLAIN = re.compile(r"[A-Za-z0-9_.\[\]-]{1,64}")
_SECRETS = re.compile(
    r"(?i)bearer\s+\S+|\b(?:sk|pk|rk|gsk|xai|key|api)[-_][\w*.-]{6,}|\bAIza[\w-]{10,}"
    r"|\b(?:AKIA|ASIA)[A-Z0-9]{8,}|\beyJ[\w-]+\.[\w-]+\.?[\w-]*|\b[A-Fa-f0-9]{32,}\b"
)
_URL = re.compile(r"(?i)\b(?:https?|wss?)://\S+")


def translate(error: Exception, *keys: str) -> TokenwireError:
    """What an exception of the SDK or its transport means to our caller.

    Only the text of a request's own faults (400, 413, 422) is passed on, since without it
    nobody could mend the request; it is redacted, ``keys`` first of all.
    """
    if isinstance(error, TokenwireError):
        return error
    if isinstance(error, openai.APIStatusError):
        return _from_status(error, keys)
    if _is_timeout(error):
        return UpstreamError(
            "The provider could not be reached in time.",
            code="timeout_connect",
            status=504,
            retryable=True,
        )
    if isinstance(error, openai.APIConnectionError | httpx2.ConnectError):
        return UpstreamError(
            "The provider could not be reached.", code="upstream_unreachable", retryable=True
        )
    if isinstance(error, openai.OpenAIError | httpx2.InvalidURL | httpx2.UnsupportedProtocol):
        return ProxyError("The provider is not configured rightly.", code="bad_provider")
    return UpstreamError("The call to the provider failed.", code="upstream_error", retryable=True)


def broken(error: Exception) -> UpstreamError:
    """A connection that broke while the answer was on its way."""
    return UpstreamError(
        "The connection to the provider broke off.", code="upstream_disconnected", retryable=True
    )


def redact(text: str, keys: Iterable[str]) -> str:
    """The text on one line, bounded, without ``keys``, key-like words and addresses."""
    text = " ".join(text.split())
    for key in filter(None, keys):
        text = text.replace(key, "[redacted]")
    text = _SECRETS.sub("[redacted]", _URL.sub("[address]", text))
    return text if len(text) <= _MAX_TEXT else text[: _MAX_TEXT - 1] + "…"


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


def _from_status(error: openai.APIStatusError, keys: Iterable[str]) -> TokenwireError:
    status = error.status_code
    if status in (400, 413, 422):
        return ClientError(
            redact(_text(error), keys) or "The provider found the request at fault.",
            code=_plain(error.code) or "invalid_request",
            status=status,
            param=_plain(error.param),
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
        retry_after=_retry_after(error.response.headers),
    )


def _text(error: openai.APIStatusError) -> str:
    body: Any = error.body
    message = body.get("message") if isinstance(body, Mapping) else None
    return message if isinstance(message, str) else ""


def _plain(value: object) -> str | None:
    return value if isinstance(value, str) and _PLAIN.fullmatch(value) else None


def _retry_after(headers: Mapping[str, str]) -> float | None:
    value = headers.get("retry-after", "")
    return min(float(value), 3600.0) if re.fullmatch(r"\d{1,6}(\.\d+)?", value) else None


def _is_timeout(error: Exception) -> bool:
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
