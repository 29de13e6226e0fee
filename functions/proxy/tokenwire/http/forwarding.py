"""The caller's headers that go to a provider of the caller's own dialect."""

from __future__ import annotations

import re
from collections.abc import Mapping

from starlette.datastructures import Headers

from ..errors import ClientError


def forwarded(sent: Headers, allowed: Mapping[str, re.Pattern[str]]) -> dict[str, str]:
    """Those of the allowed headers that the caller sent; of any other, nothing goes on.

    Args:
        sent: The request's.
        allowed: Names, in lower case, and what a value of each must be.

    Raises:
        ClientError: A value is something else (``invalid_value``); ``param`` is the name.
    """
    found: dict[str, str] = {}
    for name, pattern in allowed.items():
        if name not in sent:
            continue
        found[name] = ",".join(sent.getlist(name))
        if not pattern.fullmatch(found[name]):
            raise ClientError(f"{name} is malformed.", code="invalid_value", param=name)
    return found
