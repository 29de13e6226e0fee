"""What can go wrong, whose fault it is, and what the caller may do about it.

    TokenwireError
    ├── ClientError      the caller sent something that cannot be served
    ├── UpstreamError    a provider refused, failed or broke off
    └── ProxyError       tokenwire itself is misconfigured, full or going away

No other exception of ours reaches a caller, and no foreign one crosses a room: each
room turns what its libraries raise into one of these at its own door.
"""

from __future__ import annotations


class TokenwireError(Exception):
    """An error with everything a dialect needs to tell its client.

    Args:
        message: One sentence for a person. Never holds a secret.
        code: A stable, machine-readable name, in snake_case.
        status: The HTTP status (RFC 9110) if no byte has been sent yet.
        param: The field of the request at fault, as a dotted path.
        retryable: Whether the same request may succeed later.
        retry_after: Seconds to wait before trying again, where known.
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
    """The request is at fault; sending it again unchanged will not help."""

    default_status = 400
    default_code = "invalid_request"


class UpstreamError(TokenwireError):
    """A provider refused, failed, or ended its stream before it was whole."""

    default_status = 502
    default_code = "upstream_error"


class ProxyError(TokenwireError):
    """tokenwire is misconfigured, out of room, or shutting down."""

    default_status = 500
    default_code = "internal_error"
