"""Stop a provider's response that contains a secret of the request."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Iterable
from typing import Self

from ..errors import UpstreamError
from ..hotpath import ServePiece, ServePieces, follow

LEAST = 20
"""Characters of a secret that is looked for. Keys are longer; what local servers are given in
place of one ("ollama", "no-key-required") is no secret, and may well be in a text."""

_LINE_END = b"\n"
"""Where most pieces end. No secret that is looked for continues after one."""


class Guarded:
    """The body, for as long as none of the secrets is in it.

    Some servers and proxies echo a request's headers in the text of an error, with status 200 and
    in an unknown shape. The piece in which a secret is completed is not passed on,
    and so neither is the event that holds it.

    Args:
        body: The provider's, as bytes cut anywhere.
        secrets: What went with the request: keys, and the values of secret headers.

    Raises:
        UpstreamError: A secret is in it (``upstream_malformed``).
    """

    def __init__(self, body: AsyncIterator[bytes], secrets: Iterable[str]) -> None:
        self._body = body
        self._needles = [
            line.encode()
            for secret in secrets
            for line in secret.splitlines()
            if len(line) >= LEAST
        ]
        self._keep = max(map(len, self._needles), default=LEAST) - 1
        self._before = b""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        return self._checked(await self._body.__anext__())

    def follow(self, serve: ServePiece, serve_many: ServePieces | None = None) -> Awaitable[None]:
        """As ``Followed``."""
        if not self._needles:
            return follow(self._body, serve, serve_many)
        checked, needles = self._checked, self._needles

        def guarded(data: bytes) -> bool:
            if self._before or not data.endswith(_LINE_END):
                return serve(checked(data))
            for needle in needles:  # not any(): this is done for every block
                if needle in data:
                    checked(data)
            return serve(data)

        def many(pieces: list[bytes]) -> bool:
            data = checked(b"".join(pieces))
            return serve(data) if serve_many is None else serve_many(pieces)

        return follow(self._body, guarded, many)

    def _checked(self, data: bytes) -> bytes:
        window = self._before + data if self._before else data
        for needle in self._needles:
            if needle in window:
                raise UpstreamError(
                    "The provider sent an event that cannot be passed on.",
                    code="upstream_malformed",
                )
        self._before = b"" if data.endswith(_LINE_END) else window[-self._keep :]
        return data
