"""Rules on settings beyond their types, and the words in which a wrong setting is reported."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from typing import Literal, get_args, get_origin

import msgspec
from msgspec import Struct

from .errors import ProxyError, bad_setting
from .spelling import nearest

# As a browser sends it: in lower case, without a path. RFC 6454 section 6.2; apps have own schemes.
_ORIGIN = re.compile(
    r"[a-z][a-z0-9+.-]{0,31}://(\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(:\d{1,5})?"
)
_PREFIX = re.compile(r"[\w-]+", re.ASCII)
_FORMS = {"key": "must be env:NAME or ssm:/path"}
_TYPES = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number (of seconds: or a duration such as 250ms, 30s or 5m)",
    "str": "a text",
    "array": "a list",
    "object": "a table",
}
_EXPECTED = re.compile(r"Expected `([a-z]+)(?: \| null)?`((?: (?:<|>|<=|>=) [\d.]+)?)")


def hint(word: str, known: Iterable[str]) -> str:
    """Return a hint at the nearest known name; empty if none is near."""
    near = nearest(word, known)
    return f"; did you mean {near}?" if near else ""


def one_of(name: str, given: object, known: Collection[str]) -> ProxyError:
    """Return the error for a word that is not one of those known; it is not quoted."""
    return bad_setting(f"{name} must be one of {', '.join(known)}{hint(str(given), known)}")


def wrong_type(
    error: msgspec.ValidationError,
    found: object,
    kind: type[Struct],
    where: str,
    shown: Mapping[str, str],
) -> ProxyError:
    """Return msgspec's error in the words of the user.

    Args:
        error: Its text quotes wrong words, which must not be shown, and patterns.
        found: What was converted.
        kind: To what.
        where: Its path in the file; empty for the top level.
        shown: How the user wrote the names of the top level.
    """
    what, at, place = str(error).rpartition(" - at ")
    if not at:
        known = [field.name for field in msgspec.structs.fields(kind)]
        unknown = str(error).partition("unknown field `")[2].rstrip("`")
        fields = f"{', '.join(known)}{hint(unknown, known)}"
        return bad_setting(f"{error} - at {where}, which has: {fields}")
    place = place.strip("`").removeprefix("$").removeprefix(".")
    top = place.partition(".")[0]
    name = f"{where}.{place}" if where else shown.get(place, place)
    if what.startswith("Invalid enum value") and isinstance(found, dict):
        return one_of(name, found.get(top), _allowed(kind, top))
    return bad_setting(f"{name} {_words(what, place)}")


def _allowed(kind: type[Struct], name: str) -> list[str]:
    """Return the values of a field that has a ``Literal`` type."""
    field = next(field for field in msgspec.structs.fields(kind) if field.name == name)
    return [str(one) for one in get_args(field.type)] if get_origin(field.type) is Literal else []


def _words(what: str, place: str) -> str:
    if "matching regex" in what:
        return _FORMS.get(place.rpartition(".")[2], "has another form")
    match = _EXPECTED.match(what)
    if match is None:
        return f"is not right: {what}"
    return f"must be {_TYPES.get(match[1], match[1])}" + match[2].removesuffix(".0")


def check_origins(name: str, origins: Iterable[str]) -> None:
    """Refuse what no browser sends as ``Origin``: it would never match.

    Raises:
        ProxyError: One has a path or lacks its scheme (``bad_setting``).
    """
    for origin in origins:
        if origin != "*" and not _ORIGIN.fullmatch(origin):
            raise bad_setting(
                f"{name}: an origin is scheme://host[:port] in lower case without a path or a "
                "slash at the end, such as https://app.example"
            )


def check_route(
    name: str,
    route: Iterable[str],
    providers: Collection[str],
    aliases: Collection[str],
    off: Mapping[str, str],
) -> None:
    """Refuse a model of a provider that is not there.

    Args:
        name: Of the setting, for the message.
        route: Names of models, as in a request.
        providers: The names of the providers that are on.
        aliases: The names of ``[models]``.
        off: Why other providers are off, by name.

    Raises:
        ProxyError: A provider is not there (``bad_setting``).
    """
    for model in route:
        prefix, slash, _ = model.partition("/")
        if not slash or prefix in providers or model in aliases:
            continue
        if _PREFIX.fullmatch(prefix):
            why = f"which is off: {off[prefix]}" if prefix in off else "which is not configured"
            near = "" if prefix in off else hint(prefix, providers)
            raise bad_setting(f"{name} names the provider {prefix}, {why}{near}")
