"""``Idempotency-Key``: a POST that is sent again joins its stream, and does not pay for another.

As in draft-ietf-httpapi-idempotency-key-header: the key is the client's, and stands for one
request. One that stands for another body is refused with 422.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

import msgspec
from starlette.requests import Request

from ..errors import ClientError
from ..streams.hub import Hub, Stream
from ..streams.log import EndReason
from ..wire.protocol import ChatRequest

HEADER = "idempotency-key"
_MAX = 255


@dataclass(frozen=True, slots=True)
class Idempotency:
    """One key, and what it stands for. Not the caller's: ids of callers come on top."""

    name: str
    fingerprint: str

    @classmethod
    def of(cls, request: Request, asked: ChatRequest) -> Idempotency | None:
        """The request's key; None if it has none.

        Raises:
            ClientError: It is empty, or longer than 255 characters (``invalid_value``).
        """
        key = request.headers.get(HEADER)
        if key is None:
            return None
        if not 0 < len(key) <= _MAX:
            raise ClientError(
                f"Idempotency-Key must have between 1 and {_MAX} characters.",
                code="invalid_value",
                param=HEADER,
            )
        said = [request.scope["path"], asked.dialect, asked.body]
        return cls(f"idempotency {key}", sha256(msgspec.json.encode(said)).hexdigest())

    def find(self, hub: Hub, owner: str) -> Stream | None:
        """The stream that this key has started, running or whole; not one that failed.

        Raises:
            ClientError: The key stands for another request (422, ``idempotency_key_reused``).
        """
        stream = hub.named(self.name, owner)
        if stream is None:
            return None
        if stream.fingerprint != self.fingerprint:
            raise ClientError(
                "This Idempotency-Key was used with another request.",
                code="idempotency_key_reused",
                status=422,
                param=HEADER,
            )
        end = stream.tail.end
        return stream if end is None or end.reason is EndReason.DONE else None

    def remember(self, hub: Hub, stream: Stream) -> None:
        """From now on the key stands for this stream, for as long as it is held."""
        stream.fingerprint = self.fingerprint
        hub.name(stream, self.name)
