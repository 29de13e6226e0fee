"""Stop a provider's response that contains a secret of the request."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from ..errors import UpstreamError

LEAST = 20
"""Characters of a secret that is looked for. Keys are longer; what local servers are given in
place of one ("ollama", "no-key-required") is no secret, and may well be in a text."""


async def guarded(body: AsyncIterator[bytes], secrets: Iterable[str]) -> AsyncIterator[bytes]:
    """The body, for as long as none of the secrets is in it.

    Some servers and proxies echo a request's headers in what they say of a fault, with status 200
    and in a shape that nobody knows. The piece in which a secret is completed is not passed on,
    and so neither is the event that holds it.

    Args:
        body: The provider's, as bytes cut anywhere.
        secrets: What went with the request: keys, and the values of secret headers.

    Raises:
        UpstreamError: A secret is in it (``upstream_malformed``).
    """
    needles = [secret.encode() for secret in secrets if len(secret) >= LEAST]
    keep = max(map(len, needles), default=1) - 1
    before = b""
    async for data in body:
        window = before + data
        if any(needle in window for needle in needles):
            raise UpstreamError(
                "The provider sent an event that cannot be passed on.", code="upstream_malformed"
            )
        yield data
        before = window[-keep:] if keep else b""
