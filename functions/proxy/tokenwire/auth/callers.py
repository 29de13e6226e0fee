"""Callers: who they are, by key, or by being on this machine."""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Protocol
from urllib.parse import urlsplit

from ..errors import ClientError, ProxyError
from ..settings import Settings


@dataclass(frozen=True, slots=True)
class Caller:
    """Whoever makes a request. ``id`` can be logged: it is a hash's head, never a key."""

    id: str


ANONYMOUS = Caller("anonymous")

_OUR_SITES = {"same-origin", "same-site", "none"}


class Authenticator(Protocol):
    """Decides who makes a request, from its ASGI scope alone."""

    async def __call__(self, scope: Mapping[str, Any]) -> Caller:
        """Who it is.

        Raises:
            ClientError: They will not be served (401 or 403).
        """

    async def knows(self, caller_id: str) -> bool:
        """Whether a caller of this id would still be served: its key has not been removed."""


class Keys:
    """Callers with a key of this server: ``Authorization: Bearer``, ``x-api-key``, ``api-key``.

    Args:
        keys: Gives the keys in force; called for each request, so that they can be rotated.
    """

    def __init__(self, keys: Callable[[], Awaitable[Iterable[str]]]) -> None:
        self._keys = keys

    async def __call__(self, scope: Mapping[str, Any]) -> Caller:
        """The caller that the key belongs to."""
        # Back to the bytes of the wire: clients send a key as UTF-8, whatever it is made of.
        given = sha256(_key(_headers(scope)).encode("latin-1")).digest()
        # Every key is compared, in constant time, so that timing tells nothing of any.
        matches = [
            hmac.compare_digest(given, sha256(key.encode()).digest()) for key in await self._keys()
        ]
        if not any(matches):
            raise ClientError("The API key is not valid.", code="invalid_api_key", status=401)
        return Caller(_short(given))

    async def knows(self, caller_id: str) -> bool:
        """Whether one of the keys in force is this caller's."""
        return any(_short(sha256(key.encode()).digest()) == caller_id for key in await self._keys())


class Loopback:
    """A server without keys: it answers whoever is on the same machine, and nobody else.

    A web page from elsewhere, opened on this machine, is somebody else. Its requests come
    from the loopback address too, but under a foreign name or from a foreign origin.

    Args:
        origins: Origins that may call all the same (the CORS allow-list).
    """

    def __init__(self, origins: Iterable[str] = ()) -> None:
        self._origins = frozenset(origins)

    async def __call__(self, scope: Mapping[str, Any]) -> Caller:
        """Anonymous, if local."""
        headers = _headers(scope)
        client = scope.get("client")
        is_near = client is not None and is_loopback(client[0]) and not _is_forwarded(headers)
        if not is_near or not is_loopback(_host(headers)):
            raise ClientError(
                "Without keys this server answers on its own machine only. Set "
                "TOKENWIRE_API_KEYS, or TOKENWIRE_AUTH=none to let everyone in.",
                code="loopback_only",
                status=403,
            )
        if self._is_foreign(headers):
            raise ClientError(
                "This origin may not call a server without keys. Add it to "
                "TOKENWIRE_CORS_ORIGINS, or set TOKENWIRE_API_KEYS.",
                code="foreign_origin",
                status=403,
            )
        return ANONYMOUS

    async def knows(self, caller_id: str) -> bool:
        """Always, as ``Everyone``."""
        return True

    def _is_foreign(self, headers: Mapping[str, str]) -> bool:
        origin = headers.get("origin")
        if origin in self._origins:
            return False
        site = headers.get("sec-fetch-site", "none").strip().lower()
        if site not in _OUR_SITES:
            return True
        return origin is not None and not is_loopback(_hostname(origin))


class Everyone:
    """No authentication here, chosen by hand with ``TOKENWIRE_AUTH=none``.

    Behind IAM each principal is a caller of its own, whose chats and streams are no one else's.
    """

    async def __call__(self, scope: Mapping[str, Any]) -> Caller:
        """The principal that Lambda names, else anonymous."""
        principal = principal_of(scope.get("aws.event"))
        if principal is None:
            return ANONYMOUS
        return Caller(f"iam_{_short(sha256(principal.encode()).digest())}")

    async def knows(self, caller_id: str) -> bool:
        """Always: nobody here has a key that could be removed."""
        return True


def principal_of(event: object) -> str | None:
    """The IAM principal that signed a request, as Lambda's event names it; None for none.

    A function URL and an HTTP API say it in ``authorizer.iam``, a REST API in ``identity``. Users
    of a Cognito identity pool share a role and its session's name: they are told apart by their
    identity.
    """
    context = _part(event, "requestContext")
    iam = _part(_part(context, "authorizer"), "iam") or _part(context, "identity")
    cognito = _part(iam, "cognitoIdentity").get("identityId") or iam.get("cognitoIdentityId")
    found = cognito or iam.get("userArn") or iam.get("callerId") or iam.get("caller")
    return found if isinstance(found, str) and found else None


def _part(of: object, name: str) -> Mapping[str, Any]:
    found = of.get(name) if isinstance(of, Mapping) else None
    return found if isinstance(found, Mapping) else {}


def _short(digest: bytes) -> str:
    return digest.hex()[:12]


def choose(settings: Settings, keys: Callable[[], Awaitable[Iterable[str]]]) -> Authenticator:
    """The authenticator that the settings ask for."""
    if settings.auth == "none":
        return Everyone()
    return Keys(keys) if settings.api_keys else Loopback(settings.cors_origins)


def check_bind(settings: Settings, host: str) -> None:
    """Refuse to listen beyond this machine without keys.

    Raises:
        ProxyError: Code ``refuse_to_start``.
    """
    if settings.auth == "keys" and not settings.api_keys and not is_loopback(host):
        raise ProxyError(
            f"tokenwire will not listen on {host} without keys: anyone could spend yours. Set "
            "TOKENWIRE_API_KEYS, or TOKENWIRE_AUTH=none if something else guards the door.",
            code="refuse_to_start",
        )


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _is_forwarded(headers: Mapping[str, str]) -> bool:
    """Whether a proxy on this machine says that it passes somebody else's request on."""
    if "forwarded" in headers:
        return True
    said = f"{headers.get('x-forwarded-for', '')},{headers.get('x-real-ip', '')}"
    return not all(is_loopback(part.strip()) for part in said.split(",") if part.strip())


def _headers(scope: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for raw_name, raw_value in scope["headers"]:
        name, value = raw_name.decode("latin-1"), raw_value.decode("latin-1")
        # Of several values all count: a proxy may add one to that of its client.
        found[name] = f"{found[name]},{value}" if name in found else value
    return found


def _host(headers: Mapping[str, str]) -> str:
    return _hostname(f"//{headers.get('host', '')}")


def _hostname(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # a bracket without its partner
        return ""


def _key(headers: Mapping[str, str]) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    bearer = token.strip() if scheme.lower() == "bearer" else ""
    key = bearer or headers.get("x-api-key") or headers.get("api-key")
    if not key:
        raise ClientError(
            "An API key is needed: Authorization: Bearer KEY.", code="missing_api_key", status=401
        )
    return key
