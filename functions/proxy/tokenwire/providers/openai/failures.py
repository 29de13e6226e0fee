"""What the OpenAI SDK raises, as errors of ours. Imported with the SDK, on first use."""

from __future__ import annotations

import httpx2
import openai

from ...errors import ProxyError, TokenwireError, UpstreamError
from ..failures import from_status, is_timeout, unreachable


def translate(error: Exception, *keys: str) -> TokenwireError:
    """What an exception of the SDK or its transport means to our caller.

    Only the text of a request's own faults (400, 413, 422) is passed on, since without it
    nobody could mend the request; it is redacted, ``keys`` first of all.
    """
    if isinstance(error, TokenwireError):
        return error
    if isinstance(error, openai.APIStatusError):
        return from_status(error.status_code, error.body, error.response.headers, keys)
    if is_timeout(error) or isinstance(error, openai.APIConnectionError | httpx2.ConnectError):
        return unreachable(error)
    if isinstance(error, openai.OpenAIError | httpx2.InvalidURL | httpx2.UnsupportedProtocol):
        return ProxyError("The provider is not configured rightly.", code="bad_provider")
    return UpstreamError("The call to the provider failed.", code="upstream_error", retryable=True)
