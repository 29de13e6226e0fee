"""The certificates that providers are checked against. Imported on first use."""

from __future__ import annotations

import ssl
from functools import cache
from threading import Lock

import httpx2

_READING = Lock()


def trusted() -> ssl.SSLContext:
    """Return httpx2's certificates: one context for all providers, since reading takes 20 ms."""
    with _READING:  # providers are prepared in threads
        return _read()


@cache
def _read() -> ssl.SSLContext:
    return httpx2.create_ssl_context()
