"""References to secrets (``env:NAME``, ``ssm:/path``), and mistakes in writing one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from .errors import ProxyError, bad_setting

MIN_SECRET = 16
"""Bytes. Sixteen random letters or digits hold 95 bits, sixteen hexadecimal digits 64: too many to
try over a network. Passwords that people invent are mostly shorter."""

PATTERN = r"^(env:[A-Za-z_][A-Za-z0-9_]*|ssm:(/[A-Za-z0-9_.-]+)+)$"
"""The regular expression of a reference."""

_REFERENCE = re.compile(PATTERN)
# References of other tools too: they are not resolved, so their text would become the secret.
_MISTAKE = re.compile(r"(env|ssm|arn|secretsmanager|resolve|file|vault) *:|\$|\{\{", re.IGNORECASE)


def is_reference(value: str) -> bool:
    """Return whether a value is a reference to a secret, and not the secret itself."""
    return _REFERENCE.fullmatch(value) is not None


def check_reference(name: str, value: str) -> None:
    """Refuse a value that looks like a reference and is not one.

    Args:
        name: Of the setting, for the message.
        value: Its value, which is not quoted.

    Raises:
        ProxyError: It looks like a reference and is none (``bad_setting``).
    """
    if not is_reference(value) and _MISTAKE.match(value.strip()):
        raise _bad(f"{name} looks like a reference and is none; write env:NAME or ssm:/path")


def check_secret(name: str, value: str) -> str:
    """Return the value if it can be a caller's key or the secret that signs tickets.

    Args:
        name: Of the setting or the reference, for the message.
        value: The secret itself.

    Raises:
        ProxyError: It is a reference, looks like one, or is too short (``bad_setting``).
    """
    if is_reference(value):
        raise _bad(f"{name} leads to another reference")
    check_reference(name, value)
    if len(value.encode()) < MIN_SECRET:
        raise _bad(f"{name} must have at least {MIN_SECRET} characters")
    return value


def check_key(name: str, value: str) -> str:
    """Return the value if a request's header can carry it, as a provider's key must be.

    Args:
        name: Of the setting or the reference, for the message.
        value: The key itself, which is not quoted.

    Raises:
        ProxyError: It has a character outside ASCII, or a line end (``bad_setting``).
    """
    if not value.isascii():
        # A shortened one, as documents print it: "sk-…".
        raise _bad(f"{name} has a character outside ASCII: set the complete key")
    if not value.isprintable():
        raise _bad(f"{name} has a line end or another control character: set the key alone")
    return value


def check_given(name: str, values: Iterable[str], environ: Mapping[str, str]) -> None:
    """Check the values of a setting, and the variables that they refer to.

    Args:
        name: Of the setting.
        values: Secrets, or references to them.
        environ: Where ``env:`` references lead.

    Raises:
        ProxyError: One is neither (``bad_setting``).
    """
    for value in values:
        if not is_reference(value):
            check_secret(name, value)
        elif found := environ.get(value.removeprefix("env:")):
            for part in listed(found):
                check_secret(f"{name} ({value})", part)


def listed(text: str) -> list[str]:
    """Return the parts of a comma-separated text, without empty ones."""
    return [part.strip() for part in text.split(",") if part.strip()]


def _bad(message: str) -> ProxyError:
    return bad_setting(message, status=503)
