"""Remove secrets from a provider's text before a client or a log gets it.

The text is untrusted and may be long: work is linear. Each pattern is a fixed prefix followed by
one class of characters, so an attempt either fails within a few characters or consumes all that
it has read. ``tests/test_patterns.py`` checks this for every pattern of the package.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

MAX_READ = 64 * 1024
"""Maximum number of characters of a text that are read."""
MAX_SEARCHED = 2048
"""Maximum number of characters that are searched for patterns of secrets."""
MAX_TEXT = 500
"""Maximum number of characters that are passed on."""

_REDACTED = "[redacted]"
_WORD = re.compile(r"[A-Za-z0-9_.\[\]-]{1,64}")
_URL = re.compile(r"(?i)\b(?:https?|wss?)://\S+")
_SECRETS = re.compile(
    r"(?i)\bbearer[:=]? ?\S+|\bbasic [\w+/=-]{12,}"
    # Keys of providers and clouds, by their prefixes; ambiguous prefixes only with a digit near.
    r"|(?<![a-z0-9])(?:sk|pk|rk|gsk|xai|ghp|pplx|nvapi|csk)[-_][\w*.-]{6,}"
    r"|\b(?:key|api|hf|fw|tgp|r8)[-_](?=[\w*.-]{0,40}[\d*])[\w*.-]{6,}"
    r"|(?<![a-z0-9])AIza[\w-]{10,}|(?<![a-z0-9])ya29\.[\w.-]{6,}"
    r"|(?<![a-z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{8,}"
    # A JSON web token, also truncated; a digest; any text as long and dense as a key.
    r"|(?<![a-z0-9])eyJ[\w.-]{6,}|(?<![a-z0-9])[A-Fa-f0-9]{32,}|(?<![a-z0-9])[A-Za-z0-9+/]{40,}=*"
)


def redact(text: str, secrets: Iterable[str]) -> str:
    """Return the text on one line, without secrets and URLs, at most ``MAX_TEXT`` characters.

    Known secrets are replaced first, so that truncation does not leave a part of one.

    Args:
        text: A provider's text of any length.
        secrets: Secrets of the request: keys and the values of secret headers. Empty ones are
            ignored.
    """
    found = _searched(_without(_one_line(text[:MAX_READ]), secrets, is_cut=len(text) > MAX_READ))
    found = _SECRETS.sub(_REDACTED, _URL.sub("[address]", found))
    return found if len(found) <= MAX_TEXT else found[: MAX_TEXT - 1] + "…"


def word(value: object, secrets: Iterable[str]) -> str | None:
    """Return the value if it is a plain word (a code, the path of a field) without a secret."""
    if not isinstance(value, str) or not _WORD.fullmatch(value):
        return None
    return value if redact(value, secrets) == value else None


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _without(text: str, secrets: Iterable[str], *, is_cut: bool) -> str:
    """Replace known secrets, the longest first, since one may be a part of another."""
    known = sorted({secret for each in secrets if (secret := _one_line(each))}, key=len)
    for secret in reversed(known):
        text = text.replace(secret, _REDACTED)
    if is_cut and known:
        # The text may end with the start of a secret.
        text = text[: -len(known[-1])]
    return text


def _searched(text: str) -> str:
    """Return the part of the text that is searched, without a word that would be cut."""
    if len(text) <= MAX_SEARCHED:
        return text
    return text[:MAX_SEARCHED].rpartition(" ")[0] or text[:MAX_SEARCHED]
