"""What a way of authenticating declares, so that the setting ``auth`` can name it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from msgspec import Struct

from .callers import Authenticator


class NoOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """Options of a way of authenticating that has none."""


@dataclass(frozen=True, slots=True)
class AuthDependencies:
    """What an authenticator gets from the app.

    Args:
        options: ``[auth_options]`` of ``tokenwire.toml``, as the method's own class.
        keys: Returns the keys in force (``api_keys``); called for each request, so that keys
            can be rotated.
        key_count: How many entries ``api_keys`` has; 0 if no keys are set.
        origins: The CORS allow-list.
        secret: Returns the value of a reference (``env:NAME``, ``ssm:/path``). Raises ProxyError.
    """

    options: Any
    keys: Callable[[], Awaitable[Iterable[str]]]
    key_count: int
    origins: tuple[str, ...]
    secret: Callable[[str], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class AuthMethod:
    """One way of authenticating callers.

    Args:
        name: As in the setting ``auth``.
        create: Makes the authenticator of an app. Does no I/O.
        options: The class of ``[auth_options]``; a struct that forbids unknown fields.
        security_schemes: How a request authenticates, by name, as OpenAPI's Security Scheme
            Objects; for the API reference.
    """

    name: str
    create: Callable[[AuthDependencies], Authenticator]
    options: type[Struct] = NoOptions
    security_schemes: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
