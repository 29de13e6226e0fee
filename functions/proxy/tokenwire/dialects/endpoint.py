"""Describe the HTTP endpoint of a dialect: its paths, and its part of the API reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec


@dataclass(frozen=True, slots=True)
class Schema:
    """A JSON Schema under its name in the API reference."""

    name: str
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "object"})


@dataclass(frozen=True, slots=True)
class Body:
    """The request body of an endpoint.

    Args:
        name: The schema's name in the API reference.
        type: The msgspec struct of the body; None for any JSON object.
        example: A body that works.
        is_closed: Whether the server refuses fields that the struct does not declare.
    """

    name: str
    type: type[msgspec.Struct] | None = None
    example: Mapping[str, Any] = field(default_factory=dict)
    is_closed: bool = False


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where clients of a dialect send requests with POST, and how the API reference describes it.

    Args:
        path: For example ``/v1/messages``. Errors on this path, and on those that begin with it,
            are in the dialect.
        summary: The title of the operation, as an imperative.
        description: What the operation does, in Markdown.
        tag: The heading under which the API reference lists the operation.
        body: The request body.
        events: A phrase for the events of a streaming response.
        answer: The schema of the response without ``stream``; None for a dialect that only streams.
        error: The schema of an error response.
        error_paths: Beginnings of further paths whose errors are in the dialect.
        event_source: Whether a browser's ``EventSource`` reads the response. Event ids then name
            the stream, the first block sets the reconnection time, and errors are events.
    """

    path: str
    summary: str
    tag: str
    body: Body
    description: str = ""
    events: str = "events of the dialect"
    answer: Schema | None = None
    error: Schema = Schema("Error")
    error_paths: tuple[str, ...] = ()
    event_source: bool = False
