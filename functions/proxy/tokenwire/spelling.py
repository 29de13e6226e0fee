"""Find the known name that a misspelt one probably means."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_LONGEST = 64
"""Characters of a name that are compared with the known ones."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """Return the known name that is nearest, whatever its case; None if none is near."""
    names = {name.lower(): name for name in known}
    near = difflib.get_close_matches(word[:_LONGEST].lower(), names, n=1)
    return names[near[0]] if near else None
