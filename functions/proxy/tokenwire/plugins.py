"""Extensions published by other packages through entry points.

An extension is one object (a provider kind, a dialect, a store scheme, a way of authenticating)
that an installed package names in an entry point group:

    [project.entry-points."tokenwire.providers"]
    toy = "toy_provider:KIND"

Each registry passes its built-in entries to ``extended`` once per ``create_app``. ``published``
reads the metadata of every installed package, so its result is read once for all registries.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Protocol, TypeVar

from .errors import ProxyError, bad_setting

PROVIDERS = "tokenwire.providers"
DIALECTS = "tokenwire.dialects"
STORES = "tokenwire.stores"
AUTH = "tokenwire.auth"

_Entry = TypeVar("_Entry")


class Published(Protocol):
    """The entry points of all installed packages. Their class differs between Pythons."""

    def select(self, *, group: str) -> Iterable[EntryPoint]:
        """Return the entry points of one group."""


def published() -> Published:
    """Return the entry points of all installed packages; takes about 0.1 ms per package."""
    return entry_points()


def load(group: str, points: Published) -> dict[str, object]:
    """Import every object that installed packages publish in an entry point group.

    Args:
        group: For example ``tokenwire.providers``.
        points: From ``published``.

    Returns:
        The objects by the name of their entry point, sorted by name.

    Raises:
        ProxyError: An object cannot be imported, or two packages publish the same name
            (``bad_setting``). The message names the group, the entry point and its package.
    """
    found: dict[str, EntryPoint] = {}
    for point in sorted(points.select(group=group), key=lambda point: (point.name, point.value)):
        if point.name in found:
            others = f"{_package(found[point.name])} publishes the same name; uninstall one of them"
            raise _bad(point, others)
        found[point.name] = point
    return {name: _imported(point) for name, point in found.items()}


def extended(
    built_in: Mapping[str, _Entry], group: str, kind: type[_Entry], points: Published
) -> dict[str, _Entry]:
    """Return the built-in entries of a registry together with those that packages publish.

    Args:
        built_in: The registry's own entries by name.
        group: The entry point group of this registry.
        kind: The class that every entry is an instance of.
        points: From ``published``.

    Raises:
        ProxyError: As ``load``; or a published entry has the name of a built-in one, or is no
            instance of ``kind`` (``bad_setting``).
    """
    entries = dict(built_in)
    for name, found in load(group, points).items():
        if name in built_in:
            raise _invalid(group, name, "is the name of a built-in; publish it under another")
        if not isinstance(found, kind):
            raise _invalid(group, name, f"must be an instance of {kind.__module__}.{kind.__name__}")
        entries[name] = found
    return entries


def _imported(point: EntryPoint) -> object:
    try:
        return point.load()
    except Exception as error:
        # The cause stays attached for a traceback; its text is not ours to print.
        cause = f"importing {point.value} raised {type(error).__name__}; fix or uninstall it"
        raise _bad(point, cause) from error


def _bad(point: EntryPoint, problem: str) -> ProxyError:
    return _invalid(point.group, point.name, f"of {_package(point)} cannot be used: {problem}")


def _package(point: EntryPoint) -> str:
    return f"package {point.dist.name}" if point.dist else "an unnamed package"


def _invalid(group: str, name: str, problem: str) -> ProxyError:
    return bad_setting(f"plugin {name} ({group}) {problem}", status=503)
