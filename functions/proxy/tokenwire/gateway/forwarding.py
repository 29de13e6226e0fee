"""Check the caller's headers that go to a provider of the caller's own dialect."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..errors import ClientError


def forwarded(headers: Mapping[str, str], allowed: Mapping[str, re.Pattern[str]]) -> dict[str, str]:
    """Return the allowed headers that the request has.

    Args:
        headers: The request's, by name in lower case; repeated ones joined with commas.
        allowed: The names, and the pattern that a value of each must match.

    Raises:
        ClientError: A value does not match (``invalid_value``); ``param`` is the header's name.
    """
    found = {name: headers[name] for name in allowed if name in headers}
    for name, value in found.items():
        if not allowed[name].fullmatch(value):
            raise ClientError(f"The header {name} is malformed.", code="invalid_value", param=name)
    return found
