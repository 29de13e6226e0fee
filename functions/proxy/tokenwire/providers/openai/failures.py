"""The exceptions of the OpenAI SDK as tokenwire's errors. Imported with the SDK, on first use."""

from __future__ import annotations

import httpx2
import openai

from ...errors import ProxyError, TokenwireError, UpstreamError
from ..failures import from_status, is_timeout, unreachable


def translate(error: Exception, *keys: str) -> TokenwireError:
    """Return the error for an exception of the SDK or of its transport.

    Args:
        error: The exception.
        keys: The secrets of the request, to redact first of all.
    """
    if isinstance(error, TokenwireError):
        return error
    if isinstance(error, openai.APIStatusError):
        return from_status(error.status_code, error.body, error.response.headers, keys)
    if is_timeout(error) or isinstance(error, openai.APIConnectionError | httpx2.ConnectError):
        return unreachable(error)
    if isinstance(error, openai.OpenAIError | httpx2.InvalidURL | httpx2.UnsupportedProtocol):
        return ProxyError("The provider is not configured correctly.", code="bad_provider")
    return UpstreamError("The call to the provider failed.", code="upstream_error", retryable=True)
