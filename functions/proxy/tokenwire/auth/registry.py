"""The ways of authenticating: the built-in ones, one line each, and those of installed packages."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from .. import plugins
from .keys import KEYS
from .method import AuthMethod
from .none import NONE

AuthMethods: TypeAlias = Mapping[str, AuthMethod]

_BUILT_IN = (KEYS, NONE)


def load_auth_methods(points: plugins.Published) -> AuthMethods:
    """Return every way of authenticating by name.

    Raises:
        ProxyError: A published one cannot be used (``bad_setting``).
    """
    built_in = {method.name: method for method in _BUILT_IN}
    return plugins.extended(built_in, plugins.AUTH, AuthMethod, points)
