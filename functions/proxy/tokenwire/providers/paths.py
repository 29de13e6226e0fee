"""Model names in the paths of a provider's addresses."""

from __future__ import annotations

import re
from urllib.parse import quote

from ..errors import ClientError

_DOTS = frozenset({"", ".", ".."})
# Slashes, and the characters with which some servers end a segment of a path.
_SEPARATORS = re.compile(r"[/\\;?#]")


def segment(model: str) -> str:
    """Return the name as one segment of a path, percent-encoded, slashes of an ARN included.

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
