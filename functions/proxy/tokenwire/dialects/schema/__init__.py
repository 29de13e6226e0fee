"""Validation of request bodies against msgspec structs.

``parse`` of each dialect validates the caller's body once, with ``check``. After that, the body
(still the caller's own JSON) has the types that the dialect's ``schema`` declares, and a
translator reads it without checks. The structs declare what the API's published schema declares.
Undeclared fields, and objects with an unknown ``type``, are accepted, since a newer API version
may have them; a translator must refuse them by name.

A body that ``to_chat`` returns fits ``chat.schema.Request`` too, and its objects record the
caller's names for their fields (see ``origins``).
"""

from __future__ import annotations

from .checking import OneOf, check

__all__ = ["OneOf", "check"]
