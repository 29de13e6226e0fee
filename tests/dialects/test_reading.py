"""JSON as servers write it: strict first, then mended, and never a foreign error."""

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
    """Half a character becomes U+FFFD, and a number that is none becomes null."""
    assert read(data, ANY) == value


@pytest.mark.parametrize("data", [b"", b"{", b"[" * 100_000, b"9" * 5_000 + b"x", b"1e999"])
def test_what_cannot_be_mended(data: bytes) -> None:
    """The rest is the provider's fault, and its text is not in the error."""
    with pytest.raises(UpstreamError) as caught:
        read(data, ANY)
    assert caught.value.code == "upstream_malformed"


@given(st.binary() | st.binary().map(lambda text: b'"' + text + b'"'))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """Whatever comes, no foreign error goes out, and what is read can be written."""
    try:
        value = read(data, ANY)
    except UpstreamError:
        return
    assert msgspec.json.decode(msgspec.json.encode(value)) == value
