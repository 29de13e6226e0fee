"""The ``Host`` and ``X-Forwarded-Port`` of an event: ASGI's ``server``.

Mangum reads both, and raises for values that a client may legally send: ``[::1]:9000``, ``a:b``.
So it is given events without them, and the scope gets them back.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping
from typing import Any

from .types import Event

_READ_HERE = ("host", "x-forwarded-port")
_FIELDS = ("headers", "multiValueHeaders")
_PORTS = {"http": 80, "https": 443}
_MAX_PORT = 65535
# A name or an IPv4 address, RFC 3986 §3.2.2.
_NAME = re.compile(r"[A-Za-z0-9._~%!$&'()*+,;=-]+")


def without(event: Event) -> Event:
    """A copy of the event without the headers that are read here."""
    kept = {name: _kept(event[name]) for name in _FIELDS if isinstance(event.get(name), dict)}
    return {**event, **kept}


def headers(event: Event) -> list[list[bytes]]:
    """Those headers, as ASGI has headers."""
    return [
        [name.encode(), value.encode()] for name in _READ_HERE for value in _values(event, name)
    ]


def server(event: Event, scheme: str) -> tuple[str, int]:
    """The host, and the port that its header or the front door names, or else the scheme's.

    ``[::1]:9000`` is the host ``::1``, as in a socket's address. What is no host or no port is
    ignored: frameworks make URLs of both, and raise for ``[:::]``.
    """
    host, forwarded = (next(iter(_values(event, name)), "") for name in _READ_HERE)
    name, port = _split(host)
    if not _is_host(name, bracketed=host.startswith("[")):
        name = "localhost"
    return name, _number(port) or _number(forwarded) or _PORTS.get(scheme, 443)


def _kept(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name.lower() not in _READ_HERE}


def _values(event: Event, wanted: str) -> list[str]:
    """Of several values first; a front door that gives lists repeats the last one as text."""
    for field in reversed(_FIELDS):
        for name, found in (event.get(field) or {}).items():
            if name.lower() == wanted:
                return [str(value) for value in (found if isinstance(found, list) else [found])]
    return []


def _split(host: str) -> tuple[str, str]:
    if host.startswith("["):
        name, _, rest = host[1:].partition("]")
        return name, rest.removeprefix(":")
    name, _, port = host.partition(":")
    return name, port


def _is_host(name: str, *, bracketed: bool) -> bool:
    if not bracketed:
        return _NAME.fullmatch(name) is not None
    try:
        socket.inet_pton(socket.AF_INET6, name)
    except (OSError, ValueError):
        return False
    return True


def _number(text: str) -> int | None:
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(_MAX_PORT))):
        return None
    return int(text) if int(text) <= _MAX_PORT else None
