"""The Runtime API's forms at their bounds."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from lambda_asgi import wire
from lambda_asgi.http1 import last_chunk


def failure(depth: int, name: str = "Deep") -> Exception:
    """An exception that was raised below so many calls."""

    def call(left: int) -> None:
        if left:
            return call(left - 1)
        return innermost()

    def innermost() -> None:
        raise type(name, (Exception,), {})("sk-secret")

    try:
        call(depth)
    except Exception as error:
        return error
    raise AssertionError


def decoded(trailers: dict[str, str]) -> Any:
    """The error that the trailers carry."""
    return json.loads(base64.b64decode(trailers[wire.ERROR_BODY]))


@pytest.mark.parametrize("depth", [0, 5, 20, 50, 900])
def test_trailers_stay_below_the_size_that_ends_the_environment(depth: int) -> None:
    """However deep the stack, the trailer section has at most 3.5 KB, and the innermost frame."""
    trailers = wire.trailers("Function.Deep", failure(depth))
    assert len(last_chunk(trailers)) - len(b"0\r\n\r\n") <= 3584
    stack = decoded(trailers)["stackTrace"]
    assert stack[0].endswith("in innermost")
    assert all(frame.endswith("in call") for frame in stack[1 : 1 + min(depth, 2)])


def test_trailers_leave_out_only_what_does_not_fit() -> None:
    """A stack that fits is whole; a longer one fills most of the room."""
    assert len(decoded(wire.trailers("Function.Deep", failure(5)))["stackTrace"]) == 8
    long = wire.trailers("Function.Deep", failure(900))
    assert len(last_chunk(long)) > 3584 * 0.75


@pytest.mark.parametrize("letter", ["A", "\N{GRINNING FACE}"])
def test_long_names_and_messages_do_not_fill_the_trailers(letter: str) -> None:
    """An app's own names for types and messages are cut like its stack."""
    name = letter * 10_000
    trailers = wire.trailers(f"Function.{name}", failure(30, name), name)
    assert len(last_chunk(trailers)) - len(b"0\r\n\r\n") <= 3584
    assert decoded(trailers)["errorType"] == trailers[wire.ERROR_TYPE]
    assert decoded(trailers)["errorMessage"] == letter * 128
    assert len(wire.error_headers(f"Function.{name}")[wire.ERROR_TYPE]) <= 129
