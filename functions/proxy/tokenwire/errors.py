"""Exceptions of tokenwire.

    TokenwireError
    ├── ClientError      the request cannot be served
    ├── UpstreamError    a provider refused, failed or ended its stream early
    └── ProxyError       tokenwire itself is misconfigured, full or shutting down

Only these exceptions reach a caller. Each package converts the exceptions of its libraries to one
of these.
"""

from __future__ import annotations

FAILED = "The server failed."
"""The message of an unexpected error, whose own text is not shown: it may quote a prompt or a key.
"""


class TokenwireError(Exception):
    """An error with everything that a dialect needs to report it.

    Args:
        message: One sentence for a person. Never contains a secret.
        code: A stable, machine-readable name in snake_case.
        status: The HTTP status (RFC 9110) if no byte has been sent yet.
        param: The path of the invalid request field.
        retryable: Whether the same request may succeed later.
        retry_after: Seconds to wait before a retry, if known.
    """

    default_status = 500
    default_code = "internal_error"

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        status: int | None = None,
        param: str | None = None,
        retryable: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.status = status or self.default_status
        self.param = param
        self.retryable = retryable
        self.retry_after = retry_after


class ClientError(TokenwireError):
    """The request is invalid; repeating it unchanged does not help."""

    default_status = 400
    default_code = "invalid_request"


class UpstreamError(TokenwireError):
    """A provider refused, failed, or ended its stream before it was complete."""

    default_status = 502
    default_code = "upstream_error"


class ProxyError(TokenwireError):
    """tokenwire is misconfigured, out of room, or shutting down."""

    default_status = 500
    default_code = "internal_error"


def bad_setting(message: str, status: int = 500) -> ProxyError:
    """Return the error for a wrong setting; the message names it, and never quotes a secret."""
    end = "" if message.endswith("?") else "."
    return ProxyError(f"Bad setting: {message}{end}", code="bad_setting", status=status)
