"""Validate a complete body: the first error becomes a ``ClientError`` that names the field."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

import msgspec

from ...errors import ClientError
from ..protocol import JSON


class OneOf:
    """A union of objects distinguished by a field. Subclasses are used in annotations only.

    msgspec's tagged unions refuse an unknown tag, and do not allow a string as an alternative.
    """

    tag: ClassVar[str] = "type"
    kinds: ClassVar[Mapping[str, type[msgspec.Struct]]]
    closed: ClassVar[bool] = False
    """Whether an unknown tag is an error."""
    or_text: ClassVar[bool] = False
    """Whether a string is allowed instead of an object."""
    default: ClassVar[str | None] = None
    """The tag of an object without one; None if the tag is required."""

    @classmethod
    def tag_of(cls, value: JSON) -> object:
        """Return the tag. Subclasses may derive it from a prefix or from other fields."""
        tag = value.get(cls.tag)
        return cls.default if tag is None else tag

    @classmethod
    def tag_schema(cls, name: str) -> JSON:
        """Return the JSON Schema of the tag of one variant."""
        return {"const": name}

    @classmethod
    def check(cls, value: object) -> OneOf:
        """Validate the object as the variant that its tag names.

        Raises:
            ValueError, TypeError: It does not fit; msgspec appends the path to the message.
        """
        if cls.or_text and isinstance(value, str):
            return cls()
        if not isinstance(value, dict):
            raise TypeError(f"Expected `{cls._expected()}`, got `{_NAMES[type(value)]}`")
        tag = cls.tag_of(value)
        if tag is None:
            raise ValueError(f"Object missing required field `{cls.tag}`")
        if not isinstance(tag, str):
            raise TypeError(f"Expected `str`, got `{_NAMES[type(tag)]}` - at `$.{cls.tag}`")
        kind = cls.kinds.get(tag)
        if kind is None and cls.closed:
            raise ValueError(
                f"Expected `str` matching regex '^({'|'.join(cls.kinds)})$' - at `$.{cls.tag}`"
            )
        if kind is not None:
            _convert(value, kind)
        return cls()

    @classmethod
    def _expected(cls) -> str:
        return "str | object" if cls.or_text else "object"


_NAMES = {
    str: "str",
    int: "int",
    float: "float",
    bool: "bool",
    list: "array",
    dict: "object",
    type(None): "null",
}


def check(body: object, kind: type[msgspec.Struct]) -> JSON:
    """Return the body if it is valid.

    Args:
        body: Decoded JSON.
        kind: The request struct of the dialect.

    Raises:
        ClientError: The body is invalid (400): ``invalid_type``, ``invalid_value`` or
            ``missing_required_parameter``, with the field's path in ``param``.
    """
    if not isinstance(body, dict):
        raise ClientError("The request body must be a JSON object.", code="invalid_type")
    try:
        _convert(body, kind)
    except ValueError as error:
        raise _refusal(str(error)) from None
    return body


def _convert(value: JSON, kind: type[msgspec.Struct]) -> None:
    try:
        msgspec.convert(value, kind, dec_hook=_hook)
    except msgspec.ValidationError as error:
        # Must be a ValueError: only then does msgspec add the outer path to the inner one.
        raise ValueError(str(error)) from None


def _hook(kind: type, value: object) -> Any:
    return kind.check(value) if issubclass(kind, OneOf) else value


_MISSING = re.compile(r"Object missing required field `(\w+)`")
_TYPE = re.compile(r"Expected `([^`]+)`, got `(\w+)`")
_CHOICE = re.compile(r"Expected `str` matching regex '\^\((.*?)\)\$.*")
_BOUND = re.compile(r"Expected `(\w+)` (<=|>=|of length >=|of length <=) (\S+)")
_WORDS = {
    "str": "a string",
    "int": "an integer",
    "float": "a number",
    "bool": "a boolean",
    "array": "a list",
    "object": "an object",
}
_LIMITS = {
    ">=": "at least {}",
    "<=": "at most {}",
    "of length >=": "at least {} long",
    "of length <=": "at most {} long",
}


def _refusal(text: str) -> ClientError:
    """Convert a message of msgspec (innermost path first) to an error that quotes no value."""
    what, *places = text.split(" - at `$")
    # The path after `[...]` is below a key that the caller chose.
    path = "".join(place.rstrip("`") for place in reversed(places)).split("[...]")[0].strip(".")
    match = _MISSING.fullmatch(what)
    if match or what.endswith("got `null`"):
        path = f"{path}.{match[1]}".strip(".") if match else path
        return ClientError(f"{path} is required.", code="missing_required_parameter", param=path)
    if match := _TYPE.fullmatch(what):
        words = [_WORDS[name] for name in match[1].split(" | ") if name in _WORDS]
        return ClientError(f"{path} must be {' or '.join(words)}.", code="invalid_type", param=path)
    return ClientError(f"{path} {_fault(what)}.", code="invalid_value", param=path)


def _fault(what: str) -> str:
    if match := _CHOICE.fullmatch(what):
        return f"must be one of {', '.join(sorted(match[1].split('|')))}"
    if what == "Expected `array` of length >= 1":
        return "is empty"
    if match := _BOUND.fullmatch(what):
        return f"must be {_LIMITS[match[2]].format(match[3].removesuffix('.0'))}"
    return "is out of range"
