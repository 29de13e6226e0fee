"""Paths of an app that may be mounted under a prefix, in another app or behind a base path."""

from __future__ import annotations

from starlette._utils import get_route_path
from starlette.types import Scope


def route_path(scope: Scope) -> str:
    """Return the path of a request within this app: without the prefix that it is mounted under."""
    return get_route_path(scope)


def public_path(scope: Scope, path: str) -> str:
    """Return the path that a client requests for a path within this app."""
    prefix: str = scope.get("root_path", "")
    return prefix.rstrip("/") + path
