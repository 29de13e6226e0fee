"""Request bodies in the API reference: FastAPI cannot derive them: dialects validate them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..dialects import Dialect
from ..dialects.endpoint import Body
from ..dialects.schema.document import json_schema

Document = dict[str, Any]


def add_bodies(document: Document, dialects: Mapping[str, Dialect]) -> None:
    """Add the schemas of all request bodies to an OpenAPI document.

    Making them takes a tenth of a second, so they are not made with the routes.
    """
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for dialect in dialects.values():
        if dialect.endpoint is None:
            continue
        body = dialect.endpoint.body
        schema: Document = {"type": "object"} if body.type is None else json_schema(body.type)
        schemas[body.name] = schema
        if body.is_closed:
            schema["additionalProperties"] = False


def request_body(body: Body) -> Document:
    """Return the part of an OpenAPI operation that refers to the schema of its request body."""
    schema = {"$ref": f"#/components/schemas/{body.name}"}
    example = {"example": dict(body.example)} if body.example else {}
    content = {"application/json": {"schema": schema, **example}}
    return {"requestBody": {"required": True, "content": content}}
