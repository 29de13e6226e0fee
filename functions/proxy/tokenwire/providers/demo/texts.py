"""Strings that satisfy a JSON Schema."""

from __future__ import annotations

from ...dialects.protocol import JSON
from .merging import Impossible
from .numbers import size

_MAX_TEXT = 10_000
_FORMATS = {
    "date-time": "2026-01-31T12:00:00Z",
    "date": "2026-01-31",
    "time": "12:00:00Z",
    "duration": "PT1H",
    "email": "ada@example.com",
    "idn-email": "ada@example.com",
    "hostname": "example.com",
    "idn-hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uuid": "6f1c1e0a-2b6d-4d3c-9a54-0d8f5a2c7b11",
    "uri": "https://example.com/",
    "uri-reference": "/",
    "iri": "https://example.com/",
    "url": "https://example.com/",
    "json-pointer": "/a",
    "regex": "a",
}
_BY_NAME = {
    "city": "Bielefeld",
    "location": "Bielefeld",
    "place": "Bielefeld",
    "country": "Germany",
    "name": "Ada Lovelace",
    "language": "Python",
    "answer": "All is well.",
    "unit": "celsius",
}


def text(schema: JSON, name: str, index: int) -> str:
    """A string for a property of this name; a different one for each index.

    Raises:
        Impossible: None is valid.
    """
    low = size(schema, "minLength", 0)
    high = size(schema, "maxLength", _MAX_TEXT)
    if low > min(high, _MAX_TEXT):
        raise Impossible("its length is out of bounds")
    known = _FORMATS.get(str(schema.get("format")))
    if known is not None:
        if not low <= len(known) <= high or index:
            raise Impossible("its format and its other limits are at odds")
        return known
    found = _BY_NAME.get(name.lower(), name.replace("_", " ") or "text")
    found = f"{index} {found}" if index else found
    return (found + "." * max(0, int(low) - len(found)))[: int(high)]
