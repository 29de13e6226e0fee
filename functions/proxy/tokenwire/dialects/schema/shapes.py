"""Short ways to write the JSON Schemas of the API reference."""

from __future__ import annotations

from typing import Any

JSON = dict[str, Any]

TEXT: JSON = {"type": "string"}
NUMBER: JSON = {"type": "integer"}
ANY: JSON = {}
NULLABLE: JSON = {"type": ["string", "null"]}
CODED: JSON = {"code": TEXT, "retryable": {"type": "boolean"}}
"""The fields of every error that tokenwire's own dialects share."""


def object_of(required: JSON, optional: JSON | None = None) -> JSON:
    """Return the schema of an object with these properties."""
    properties = {**required, **(optional or {})}
    return {"type": "object", "required": list(required), "properties": properties}


def list_of(items: JSON) -> JSON:
    """Return the schema of an array."""
    return {"type": "array", "items": items}


def one_of(*values: str) -> JSON:
    """Return the schema of a string that is one of these."""
    return {"type": "string", "enum": list(values)}
