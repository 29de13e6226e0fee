"""The page of the HTTP API, from ``/openapi.json`` of the app."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from typing import Any

from tokenwire.app import create_app
from tokenwire.http.openapi import document
from tokenwire.settings import Settings

JSON = Mapping[str, Any]

_INTRODUCTION = """# HTTP API

The same description is served at `/docs` and `/openapi.json` of each server. It is also
[a file of this site](openapi.json).
"""


@functools.cache
def api_document() -> JSON:
    """Return the OpenAPI document of an app with default settings."""
    app = create_app(Settings())
    return document(app, app.state.services)


def http_page(api: JSON) -> str:
    """Return the page: the operations in the order of the document, then the schemas."""
    operations = [
        _operation(method, path, operation)
        for path, methods in api["paths"].items()
        for method, operation in methods.items()
    ]
    return "\n".join([_INTRODUCTION, *operations])


def _operation(method: str, path: str, operation: JSON) -> str:
    parts = [
        f"## `{method.upper()} {path}`",
        operation.get("summary", ""),
        operation.get("description", ""),
    ]
    parts += ["\n".join(_parameters(operation)), _body(operation)]
    parts += ["\n".join(_responses(operation))]
    return "\n\n".join(part for part in parts if part) + "\n"


def _parameters(operation: JSON) -> Iterator[str]:
    parameters = operation.get("parameters", [])
    if parameters:
        yield from ("| Parameter | In | |", "| --- | --- | --- |")
    for one in parameters:
        text = " ".join(one.get("description", "").split())
        yield f"| `{one['name']}` | {one['in']} | {text} |"


def _body(operation: JSON) -> str:
    """Return the body of a request, as an example and a table of its fields."""
    for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
        name = content["schema"].get("$ref", "").rpartition("/")[2]
        fields = api_document()["components"]["schemas"].get(name, {}).get("properties", {})
        example = json.dumps(content.get("example", {}), indent=2, ensure_ascii=False)
        names = ", ".join(f"`{field}`" for field in fields)
        return f"Body, `{media_type}`:\n\n```json\n{example}\n```\n\nFields: {names}."
    return ""


def _responses(operation: JSON) -> Iterator[str]:
    yield from ("| Status | Content | |", "| --- | --- | --- |")
    for status, response in operation["responses"].items():
        types = ", ".join(f"`{name}`" for name in response.get("content", {})) or "none"
        yield f"| {status} | {types} | {' '.join(response['description'].split())} |"
