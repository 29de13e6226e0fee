"""Servers without keys: they answer their own machine only."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from ..errors import ClientError, ProxyError
from .callers import ANONYMOUS, Authenticator, Caller
from .scope import headers_of

_OUR_SITES = {"same-origin", "same-site", "none"}


class Loopback:
    """Accepts callers on the same machine, and refuses all others.

    A web page of another site, opened in a browser on this machine, is refused too. Its requests
    come from the loopback address, but under a foreign host name or from a foreign origin.

    Args:
        origins: Origins that are accepted although they are foreign (the CORS allow-list).
    """

    description = "No keys are set, so it answers on this machine only."
    local_only = True

    def __init__(self, origins: Iterable[str] = ()) -> None:
        self._origins = frozenset(origins)

    async def __call__(self, scope: Mapping[str, Any]) -> Caller:
        """Return the anonymous caller, if the request is local."""
        headers = headers_of(scope)
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
        """Return True: there is no key that could be removed."""
        return True

    def _is_foreign(self, headers: Mapping[str, str]) -> bool:
        origin = headers.get("origin")
        if origin in self._origins:
            return False
        site = headers.get("sec-fetch-site", "none").strip().lower()
        if site not in _OUR_SITES:
            return True
        return origin is not None and not is_loopback(_hostname(origin))


def check_bind(authenticator: Authenticator, host: str) -> None:
    """Refuse to listen beyond this machine if only this machine may call.

    Raises:
        ProxyError: Code ``refuse_to_start``.
    """
    if authenticator.local_only and not is_loopback(host):
        raise ProxyError(
            f"tokenwire will not listen on {host} without keys: anyone could spend yours. Set "
            "TOKENWIRE_API_KEYS, or TOKENWIRE_AUTH=none if callers are authenticated elsewhere.",
            code="refuse_to_start",
        )


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is that of this machine."""
    if host.lower().rstrip(".") == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return (mapped or address).is_loopback


def _is_forwarded(headers: Mapping[str, str]) -> bool:
    """Return whether a proxy on this machine forwards a request from elsewhere."""
    if "forwarded" in headers:
        return True
    addresses = f"{headers.get('x-forwarded-for', '')},{headers.get('x-real-ip', '')}"
    return not all(is_loopback(part.strip()) for part in addresses.split(",") if part.strip())


def _host(headers: Mapping[str, str]) -> str:
    return _hostname(f"//{headers.get('host', '')}")


def _hostname(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:  # a bracket without its partner
        return ""
