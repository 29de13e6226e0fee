"""Model names in the paths of a provider's addresses."""

from __future__ import annotations

import re
from urllib.parse import quote

from ..errors import ClientError

_DOTS = frozenset({"", ".", ".."})
# A slash in either direction, and what some servers end a path's segment with.
_SEPARATORS = re.compile(r"[/\\;?#]")


def segment(model: str) -> str:
    """The name as one segment of a path, percent-encoded; slashes of an ARN too.

    Servers and proxies may decode a segment before they resolve it, so a name with dot segments
    could lead out of the provider's base path, together with its key.

    Raises:
        ClientError: It has dot segments or empty ones (404, ``model_not_found``).
    """
    if _DOTS.intersection(_SEPARATORS.split(model)) or not model.isprintable():
        raise ClientError(
            "The provider has no such model.", code="model_not_found", status=404, param="model"
        )
    return quote(model, safe="")
