"""What the structs of all dialects share."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

Object = dict[str, Any]
"""A JSON object whose fields are not looked at."""

PositiveInt = Annotated[int, Meta(ge=1)]
Name = Annotated[str, Meta(min_length=1)]


def one_of(*names: str) -> Meta:
    """The constraint on a string from a closed list.

    A pattern, since msgspec's error for an enum quotes what the caller sent.
    """
    return Meta(pattern=f"^({'|'.join(names)})$(?!\n)", extra_json_schema={"enum": list(names)})
