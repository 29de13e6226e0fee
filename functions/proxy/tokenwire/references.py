"""References to secrets (``env:NAME``, ``ssm:/path``), and what can be mistaken for one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from .errors import ProxyError

MIN_SECRET = 16
"""Bytes. Sixteen random letters or digits hold 95 bits, sixteen hexadecimal digits 64: too many to
try over a network. What people make up is mostly shorter."""

PATTERN = r"^(env:[A-Za-z_][A-Za-z0-9_]*|ssm:(/[A-Za-z0-9_.-]+)+)$"
"""Of a reference, as a regular expression."""

_REFERENCE = re.compile(PATTERN)
# References of other tools too: none of them would be followed, and each would become the secret.
_MISTAKE = re.compile(r"(env|ssm|arn|secretsmanager|resolve|file|vault) *:|\$|\{\{", re.IGNORECASE)


def is_reference(value: str) -> bool:
    """Whether a setting's value says where a secret is, and is not the secret itself."""
    return _REFERENCE.fullmatch(value) is not None


def check_reference(name: str, value: str) -> None:
    """Refuse a value that somebody meant as a reference.

    Args:
        name: Of the setting, for the message.
        value: Its value, which is not quoted.

    Raises:
        ProxyError: It looks like a reference and is none (``bad_setting``).
    """
    if not is_reference(value) and _MISTAKE.match(value.strip()):
        raise _bad(f"{name} looks like a reference and is none; write env:NAME or ssm:/path")


def check_secret(name: str, value: str) -> str:
    """The value, if it can be a secret of ours: a caller's key, or what signs tickets.

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


def check_given(name: str, values: Iterable[str], environ: Mapping[str, str]) -> None:
    """Check what a setting says, and what it refers to as far as that is here.

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
    """The parts of a text with commas between."""
    return [part.strip() for part in text.split(",") if part.strip()]


def _bad(message: str) -> ProxyError:
    return ProxyError(f"Bad setting: {message}.", code="bad_setting", status=503)
