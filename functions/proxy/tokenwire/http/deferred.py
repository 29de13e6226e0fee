"""Routes that read their endpoint's signature on first use: most processes on Lambda use one."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

from fastapi import APIRouter
from fastapi.routing import APIRoute
from starlette.routing import Match, get_name
from starlette.types import Scope

from .paths import route_path


class DeferredRoute(APIRoute):
    """FastAPI's route, which takes a millisecond to build; a request builds only its own.

    Matching needs the path and the methods. Everything else that a route has, such as its
    dependencies and its handler, is built when it is first read, as for the OpenAPI document.

    Args:
        path: As ``APIRoute``.
        endpoint: As ``APIRoute``.
        methods: By default ``GET``.
        name: By default the endpoint's.
        options: All else that ``APIRoute`` takes.
    """

    def __init__(
        self,
        path: str,
        endpoint: Callable[..., Any],
        *,
        methods: Collection[str] | None = None,
        name: str | None = None,
        **options: Any,
    ) -> None:
        self.path = path
        self.endpoint = endpoint
        self._methods = [method.upper() for method in methods or ("GET",)]
        self.methods = set(self._methods)
        self.name = get_name(endpoint) if name is None else name
        self._options = options
        self._start, parameter, _ = path.partition("{")
        self._is_literal = not parameter

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """As ``APIRoute``; compares strings before it builds a regular expression."""
        path = route_path(scope)
        if path != self._start if self._is_literal else not path.startswith(self._start):
            return Match.NONE, {}
        return super().matches(scope)

    def __getattr__(self, name: str) -> Any:
        # Called for what is not set yet.
        options = self.__dict__.pop("_options", None)
        if options is None:
            raise AttributeError(name, name=name, obj=self)
        super().__init__(self.path, self.endpoint, methods=self._methods, name=self.name, **options)
        return getattr(self, name)


def deferring(**options: Any) -> APIRouter:
    """Return a router of such routes. ``options`` are those of ``APIRouter``."""
    return APIRouter(route_class=DeferredRoute, **options)
