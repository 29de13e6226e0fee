"""What a store raises: failures, and the answers of the contract that refuse a request."""

from __future__ import annotations

from ..errors import ProxyError
from .records import End, RecordId


class StoreError(ProxyError):
    """A request to the store has failed, and may succeed if it is repeated."""

    def __init__(self, what: str) -> None:
        super().__init__(what, code="store_unavailable", status=503, retryable=True)


class Missing(StoreError):
    """There is no such log; there may have been."""

    def __init__(self) -> None:
        super().__init__("The stream is not in the store.")


class Rewound(StoreError):
    """The log does not end where its producer continues: the store has lost records.

    ``last`` is the id of the last record that it has; its sequence number is 0 if it has none.
    """

    def __init__(self, last: RecordId) -> None:
        super().__init__("The store has lost records.")
        self.last = last


class Taken(StoreError):
    """Another process is the producer of this log."""

    def __init__(self) -> None:
        super().__init__("The stream has a producer.")


class Fenced(StoreError):
    """The log has an end, and no record can follow it."""

    def __init__(self, at: RecordId, end: End) -> None:
        super().__init__("The stream is over.")
        self.at = at
        self.end = end


MAX_VIEWERS = 100
"""Viewers with a lease of one stream. A client with a ticket can choose any number of names."""


class TooManyViewers(StoreError):
    """``MAX_VIEWERS`` other viewers hold a lease of the stream."""

    def __init__(self) -> None:
        super().__init__("The stream has as many viewers as it may have.")
        self.code, self.status = "overloaded", 429
