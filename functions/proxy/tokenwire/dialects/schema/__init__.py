"""The request bodies of the dialects, as msgspec structs.

``parse`` of each dialect checks a caller's body once, with ``check``. From then on the body,
which stays the caller's own JSON, is known to have the types that these structs declare: a
translator reads it without checks. A struct declares what its owner's published schema declares.
Fields that it does not declare, and objects whose ``type`` it does not know, are let through: a
newer API may have them. Those are the only things that a translator has to refuse, by name.

What ``to_chat`` of a dialect returns fits ``schema.chat.Request`` too, and its objects carry the
caller's names for their fields (see ``origins``).
"""

from __future__ import annotations

from .checking import OneOf, check

__all__ = ["OneOf", "check"]
