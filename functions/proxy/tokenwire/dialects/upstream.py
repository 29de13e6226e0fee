"""What the failures of providers mean to our callers: one table, before and inside a stream.

Dialects and providers map their own names and statuses to the codes of this table.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..events import Error


@dataclass(frozen=True, slots=True)
class Failure:
    """One row: a failure of a provider as we report it.

    Args:
        message: One sentence for a person.
        status: The HTTP status if no byte has been sent yet.
        retryable: Whether the same request may succeed later.
    """

    message: str
    status: int
    retryable: bool


FAILURES = {
    "upstream_auth": Failure("The provider refused this server's credentials.", 502, False),
    "upstream_content_filter": Failure("The provider filtered the content.", 400, False),
    "upstream_context_length": Failure("The request is too long for the model.", 400, False),
    "upstream_error": Failure("The provider failed.", 502, True),
    "upstream_invalid_request": Failure("The provider refused the request as invalid.", 400, False),
    "upstream_overloaded": Failure("The provider is overloaded.", 503, True),
    "upstream_quota": Failure("This server's quota at the provider is used up.", 429, False),
    "upstream_rate_limited": Failure("The provider is limiting this server's requests.", 429, True),
    "upstream_timeout": Failure("The provider reported a timeout.", 504, True),
}
"""By our code."""


def reported(code: str, status: int | None = None) -> Error:
    """Return the event for an error that a provider reported inside its stream.

    The provider's text is not in it: it may contain anything.

    Args:
        code: A key of ``FAILURES``.
        status: Another status than that of the table.
    """
    failure = FAILURES[code]
    message = "The provider reported an error in its stream."
    return Error(code, message, failure.retryable, status or failure.status)
