"""A way of authenticating in one file, outside the package: a team's name and its password."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from msgspec import Struct

from tokenwire.auth.callers import Authenticator, Caller, id_of
from tokenwire.auth.method import AuthDependencies, AuthMethod
from tokenwire.auth.scope import headers_of
from tokenwire.errors import ClientError
from tokenwire.providers.settings import Reference


class TeamOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """``[auth_options]`` with ``auth = "teams"``: a reference to each team's password."""

    teams: dict[str, Reference]


class Teams:
    """Callers send ``x-team: NAME:PASSWORD``; each team is one caller."""

    local_only = False

    def __init__(self, teams: Mapping[str, str], secret: Callable[[str], Awaitable[str]]) -> None:
        self._teams = teams
        self._secret = secret
        self.description = f"Callers are one of {len(teams)} teams."

    async def __call__(self, scope: Mapping[str, Any]) -> Caller:
        """Return the team, if its password is right."""
        name, _, password = headers_of(scope).get("x-team", "").partition(":")
        if name in self._teams:
            expected = await self._secret(self._teams[name])
            if hmac.compare_digest(password.encode(), expected.encode()):
                return Caller(_id(name))
        raise ClientError("The team's password is not valid.", code="invalid_api_key", status=401)

    async def knows(self, caller_id: str) -> bool:
        """Return whether the team is still configured."""
        return any(_id(name) == caller_id for name in self._teams)


def _id(name: str) -> str:
    return f"team_{id_of(name.encode())}"


def _create(dependencies: AuthDependencies) -> Authenticator:
    return Teams(dependencies.options.teams, dependencies.secret)


METHOD = AuthMethod(
    "teams",
    _create,
    TeamOptions,
    {"team": {"type": "apiKey", "in": "header", "name": "x-team"}},
)
