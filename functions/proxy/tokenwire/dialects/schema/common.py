"""Types that the schemas of all dialects share."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

Object = dict[str, Any]
"""A JSON object whose fields are not validated."""

PositiveInt = Annotated[int, Meta(ge=1)]
Name = Annotated[str, Meta(min_length=1)]


def one_of(*names: str) -> Meta:
    """Return the constraint on a string from a closed list.

    A pattern rather than an enum, since msgspec's error for an enum quotes the caller's value.
    """
    return Meta(pattern=f"^({'|'.join(names)})$(?!\n)", extra_json_schema={"enum": list(names)})
