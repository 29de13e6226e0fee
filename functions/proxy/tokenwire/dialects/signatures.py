"""Signatures of reasoning, which some providers require back in the next turn.

They are opaque, and only valid for the provider that issued them. Gemini's are therefore marked
with a prefix when they are sent to the caller. Anthropic's are passed unchanged, so they have none.
"""

from __future__ import annotations

import re
from typing import Any

_GOOGLE = "google:"
SKIP = "skip_thought_signature_validator"
"""Google's documented value for a call without a signature: the client may have dropped it, or
a model of another provider may have made the call."""


# Since Gemini 3 a returned call must be signed. Other models do not check signatures.
_UNCHECKED = re.compile(r"gemini-[12](?!\d)|gemma")


def wants_signatures(model: str) -> bool:
    """Return whether a Google model refuses its own calls without their signatures."""
    return not _UNCHECKED.search(model)


def google(signature: str) -> str:
    """Return Gemini's signature with the prefix."""
    return f"{_GOOGLE}{signature}"


def of_google(signature: object) -> str | None:
    """Return Gemini's signature without the prefix; None for another provider's, or for none."""
    if isinstance(signature, str) and signature.startswith(_GOOGLE):
        return signature.removeprefix(_GOOGLE)
    return None


def extra_content(signature: str) -> dict[str, Any]:
    """Return the extra field of a Chat API tool call, as Google's compatible endpoint writes it."""
    return {"google": {"thought_signature": signature}}


def of_call(call: dict[str, Any]) -> str | None:
    """Return the signature in a Chat API tool call, if there is one."""
    match call.get("extra_content"):
        case {"google": {"thought_signature": str(signature)}} if signature:
            return signature
        case _:
            return None
