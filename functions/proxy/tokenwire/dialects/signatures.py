"""Signatures of thinking, which some providers want back with the next turn.

They are opaque, and no provider takes another's. Gemini's are therefore marked while they are
with the caller; Anthropic's pass verbatim, and so cannot be.
"""

from __future__ import annotations

import re
from typing import Any

_GOOGLE = "google:"
SKIP = "skip_thought_signature_validator"
"""What Google documents for calls whose signature is not at hand: clients may have dropped it, or
another provider's model may have made the call."""


# Since Gemini 3 a call that comes back must be signed. Nobody checks the signature of others.
_UNCHECKED = re.compile(r"gemini-[12](?!\d)|gemma")


def wants_signatures(model: str) -> bool:
    """Whether a model of Google's refuses its own calls without their signatures."""
    return not _UNCHECKED.search(model)


def google(signature: str) -> str:
    """Gemini's signature, marked."""
    return f"{_GOOGLE}{signature}"


def of_google(signature: object) -> str | None:
    """Gemini's own signature; None for another provider's, or none at all."""
    if isinstance(signature, str) and signature.startswith(_GOOGLE):
        return signature.removeprefix(_GOOGLE)
    return None


def extra_content(signature: str) -> dict[str, Any]:
    """What a tool call carries in the Chat API, as Google's compatible endpoint writes it."""
    return {"google": {"thought_signature": signature}}


def of_call(call: dict[str, Any]) -> str | None:
    """The signature that a tool call of the Chat API carries, if any."""
    match call.get("extra_content"):
        case {"google": {"thought_signature": str(signature)}} if signature:
            return signature
        case _:
            return None
