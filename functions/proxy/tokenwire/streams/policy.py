"""What becomes of a stream when its last viewer has left."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import ClientError

_GRACE = re.compile(r"grace(?:=|\()(\d{1,5}(?:\.\d{1,3})?)\)?")


@dataclass(frozen=True, slots=True)
class OnDisconnect:
    """Wait ``grace`` seconds for a viewer to come back, then cancel; never, if None."""

    grace: float | None

    @classmethod
    def parse(cls, text: str) -> OnDisconnect:
        """Read ``cancel``, ``continue`` or ``grace=30`` (seconds; ``grace(30)`` too).

        Raises:
            ClientError: It is none of them (code ``invalid_value``).
        """
        if text == "cancel":
            return CANCEL
        if text == "continue":
            return CONTINUE
        if match := _GRACE.fullmatch(text):
            return cls(float(match[1]))
        raise ClientError(
            "on_disconnect must be cancel, continue, or grace=SECONDS.",
            code="invalid_value",
            param="on_disconnect",
        )


CANCEL = OnDisconnect(0.0)
CONTINUE = OnDisconnect(None)
