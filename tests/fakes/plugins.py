"""Packages that publish entry points, installed for the length of a test."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

Points = Mapping[str, Mapping[str, str]]
"""Of a package: group → name → ``module:object``."""


def package(site: Path, name: str, points: Points, modules: Mapping[str, str]) -> None:
    """Write a package into a directory as an installer does: its modules and its metadata.

    Args:
        site: What stands for ``site-packages``.
        name: Of the distribution.
        points: The entry points that it publishes.
        modules: The source of each of its modules by name.
    """
    info = site / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    info.joinpath("METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = [
        line
        for group, entries in points.items()
        for line in (f"[{group}]", *(f"{point} = {value}" for point, value in entries.items()))
    ]
    info.joinpath("entry_points.txt").write_text("\n".join(lines) + "\n")
    for module, source in modules.items():
        site.joinpath(f"{module}.py").write_text(source)


@contextmanager
def installed(site: Path) -> Iterator[None]:
    """Put the directory on the path of imports; afterwards forget it and what came from it."""
    sys.path.insert(0, str(site))
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path.remove(str(site))
        for name, module in list(sys.modules.items()):
            if str(getattr(module, "__file__", None)).startswith(str(site)):
                del sys.modules[name]
