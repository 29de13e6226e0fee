"""The registry of dialects: one line for each that is built in; other packages can add theirs.

A package adds a dialect by naming a ``Dialect`` in the entry point group ``tokenwire.dialects``,
under the dialect's own name. ``docs/architecture.md`` describes how.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from .. import plugins
from ..errors import ProxyError, bad_setting
from . import chat, events, messages, responses, ui
from .protocol import Dialect

_BUILT_IN = (
    chat.DIALECT,
    responses.DIALECT,
    messages.DIALECT,
    events.DIALECT,
    ui.DIALECT,
)
DIALECTS: Mapping[str, Dialect] = MappingProxyType({found.name: found for found in _BUILT_IN})
"""The built-in dialects by name, as used in ``?format=``."""


def load_dialects(points: plugins.Published) -> Mapping[str, Dialect]:
    """Return the built-in dialects and those that other packages publish, by name.

    Raises:
        ProxyError: A published dialect cannot be imported, is not a ``Dialect``, or has a name or
            path that is taken (``bad_setting``).
    """
    found = plugins.extended(DIALECTS, plugins.DIALECTS, Dialect, points)
    for name in found.keys() - DIALECTS.keys():
        _check(name, found[name], found)
    return MappingProxyType(found)


def dialect_of(dialects: Mapping[str, Dialect], path: str) -> Dialect:
    """Return the dialect in which clients of a path read errors; ``events`` on other paths."""
    heads = {head: dialect for dialect in dialects.values() for head in _heads(dialect)}
    longest = max(filter(path.startswith, heads), key=len, default=None)
    return events.DIALECT if longest is None else heads[longest]


def _heads(dialect: Dialect) -> tuple[str, ...]:
    endpoint = dialect.endpoint
    return () if endpoint is None else (endpoint.path, *endpoint.error_paths)


def _check(name: str, dialect: Dialect, others: Mapping[str, Dialect]) -> None:
    if dialect.name != name:
        raise _bad(name, f"its Dialect has another name, {dialect.name}; publish it as that")
    if dialect.endpoint is None:
        return
    path = dialect.endpoint.path
    if not path.startswith("/"):
        raise _bad(name, f"its path {path} does not begin with /")
    for other in others.values():
        if other is not dialect and other.endpoint and other.endpoint.path == path:
            raise _bad(name, f"its path {path} is also that of {other.name}; choose another")


def _bad(name: str, problem: str) -> ProxyError:
    where = f"dialect {name} ({plugins.DIALECTS})"
    return bad_setting(f"{where} cannot be used: {problem}", status=503)
