"""Restrictions of Claude models, derived from the version in their names.

From Anthropic's migration guides: sampling parameters and thinking budgets are refused since 4.7,
prefilled answers since 4.6, temperature together with top_p since 4.1. A name without a version is
treated as a model without restrictions.
"""

from __future__ import annotations

import re

from ..dialects import carry
from ..dialects.protocol import JSON

# claude-opus-4-7, claude-sonnet-4-20250514, anthropic.claude-opus-5-v1:0; not claude-3-5-haiku.
_VERSION = re.compile(r"claude-[a-z]{1,16}-(\d{1,2})(?:[-.](\d{1,2}))?(?!\d)")
_NO_SAMPLING = (4, 7)
_NO_PREFILL = (4, 6)
_ONE_OF_TWO = (4, 1)
# Default values, which are dropped.
_DEFAULTS = {"temperature": 1, "top_p": 1}


def version(model: str) -> tuple[int, int]:
    """Return the version in a model's name, including Bedrock's names; zeros if there is none."""
    match = _VERSION.search(model)
    return (int(match[1]), int(match[2] or 0)) if match else (0, 0)


def sampling(body: JSON, model: str) -> JSON:
    """Return ``temperature``, ``top_p`` and ``top_k`` if the model accepts them.

    Raises:
        ClientError: The model does not accept one; ``param`` names it.
    """
    found = carry.set_of(body, ("temperature", "top_p", "top_k"))
    if found.get("temperature", 0) > 1:
        raise carry.malformed("temperature", "between 0 and 1 for this model's provider")
    known = version(model)
    if known >= _ONE_OF_TWO:
        found = {name: value for name, value in found.items() if value != _DEFAULTS.get(name)}
    if known >= _NO_SAMPLING and found:
        raise carry.refuse(next(iter(found)), "is not supported by this model")
    if known >= _ONE_OF_TWO and {"temperature", "top_p"} <= found.keys():
        raise carry.refuse("top_p", "cannot be combined with temperature for this model")
    return found


def thinking(body: JSON, model: str) -> JSON:
    """Return ``thinking`` if the model accepts it.

    Raises:
        ClientError: It has a budget, which the model does not accept.
    """
    found: JSON = body.get("thinking") or {}
    if found.get("budget_tokens") and version(model) >= _NO_SAMPLING:
        raise carry.refuse("thinking.budget_tokens", "is not supported by this model")
    return found


def takes_prefill(model: str) -> bool:
    """Return whether the last turn may be the start of the answer."""
    return version(model) < _NO_PREFILL
