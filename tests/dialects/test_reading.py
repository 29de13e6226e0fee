"""Decoding of JSON with errors: strict first, then tolerant, with one type of exception."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenwire.dialects.reading import read
from tokenwire.errors import UpstreamError

ANY = msgspec.json.Decoder(Any)


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b'"\xe2\x98"', "�"),
        (rb'"\ud83c"', "�"),
        (rb'"a\udf88b"', "a�b"),
        (rb'"\ud83c\udf88 \ud83c"', "🎈 �"),
        (b'{"p":NaN,"q":-Infinity}', {"p": None, "q": None}),
    ],
)
def test_halves_do_not_cost_the_answer(data: bytes, value: object) -> None:
    """Half a character becomes U+FFFD, and NaN becomes null."""
    assert read(data, ANY) == value


@pytest.mark.parametrize("data", [b"", b"{", b"[" * 100_000, b"9" * 5_000 + b"x", b"1e999"])
def test_what_cannot_be_mended(data: bytes) -> None:
    """Other errors are upstream errors without the provider's text."""
    with pytest.raises(UpstreamError) as caught:
        read(data, ANY)
    assert caught.value.code == "upstream_malformed"


@given(st.binary() | st.binary().map(lambda text: b'"' + text + b'"'))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """Any input is an upstream error or a value that can be encoded again."""
    try:
        value = read(data, ANY)
    except UpstreamError:
        return
    assert msgspec.json.decode(msgspec.json.encode(value)) == value
