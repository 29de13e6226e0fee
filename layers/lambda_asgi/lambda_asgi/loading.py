"""From the name of a handler to the object."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path

from .handler import Handler


class NoSuchHandler(Exception):
    """The module has no ``Handler`` by the configured name."""


class MalformedName(Exception):
    """The configured name is not of the form ``module.attribute``."""


def load(name: str) -> Handler:
    """Import ``module.attribute`` or ``module:attribute``; a slash in the module is a dot.

    Raises:
        MalformedName: The name has not both parts.
        NoSuchHandler: There is none by that name. What the module raises passes through.
    """
    module, _, attribute = name.rpartition(":" if ":" in name else ".")
    if not module or not attribute:
        raise MalformedName(f"a handler is named module:attribute, not {name!r}")
    found = getattr(import_module(module.replace("/", ".")), attribute, None)
    if not isinstance(found, Handler):
        raise NoSuchHandler(f"{name!r} is not a lambda_asgi.Handler: write handler = Handler(app)")
    return found


def failure_type(error: Exception) -> str:
    """The type under which Lambda's own Python runtime reports a failure to start."""
    kinds = (
        (ImportError, "Runtime.ImportModuleError"),
        (SyntaxError, "Runtime.UserCodeSyntaxError"),
        (NoSuchHandler, "Runtime.HandlerNotFound"),
        (MalformedName, "Runtime.MalformedHandlerName"),
    )
    found = (kind for classes, kind in kinds if isinstance(error, classes))
    return next(found, "Runtime.InitError")


def extend_path(environ: Mapping[str, str]) -> None:
    """Find what Lambda's own Python runtime finds: the function, then the layers."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    root = environ.get("LAMBDA_TASK_ROOT", "/var/task")
    for place in (f"/opt/python/lib/{version}/site-packages", "/opt/python", root):
        if place not in sys.path and Path(place).is_dir():
            sys.path.insert(0, place)
