"""``auth = "none"``: every caller is accepted; IAM principals are distinguished."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .callers import ANONYMOUS, Authenticator, Caller, id_of
from .method import AuthDependencies, AuthMethod


class Everyone:
    """Accepts every caller, because ``TOKENWIRE_AUTH=none`` is set.

    Behind IAM each principal is a caller of its own, with its own chats and streams.
    """

    description = "Anyone who can reach it may use it (TOKENWIRE_AUTH=none)."
    local_only = False

    async def __call__(self, scope: Mapping[str, Any]) -> Caller:
        """Return the principal that Lambda's event names, else the anonymous caller."""
        principal = principal_of(scope.get("aws.event"))
        if principal is None:
            return ANONYMOUS
        return Caller(f"iam_{id_of(principal.encode())}")

    async def knows(self, caller_id: str) -> bool:
        """Return True: there is no key that could be removed."""
        return True


def principal_of(event: object) -> str | None:
    """Return the IAM principal that signed a request, from Lambda's event; None without one.

    A function URL and an HTTP API name it in ``authorizer.iam``, a REST API in ``identity``. Users
    of a Cognito identity pool share a role and the name of its session, so the id of their
    identity is used.
    """
    if event is None:
        return None
    context = _part(event, "requestContext")
    iam = _part(_part(context, "authorizer"), "iam") or _part(context, "identity")
    cognito = _part(iam, "cognitoIdentity").get("identityId") or iam.get("cognitoIdentityId")
    found = cognito or iam.get("userArn") or iam.get("callerId") or iam.get("caller")
    return found if isinstance(found, str) and found else None


def _part(of: object, name: str) -> Mapping[str, Any]:
    found = of.get(name) if isinstance(of, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _create(_: AuthDependencies) -> Authenticator:
    return Everyone()


NONE = AuthMethod("none", _create)
