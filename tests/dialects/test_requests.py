"""Parsing of request bodies, and refusal of invalid ones."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tokenwire.dialects import DIALECTS
from tokenwire.errors import ClientError

USER = {"role": "user", "content": "hi"}
BODY: dict[str, Any] = {"model": "m", "messages": [USER]}
_BODIES: dict[str, dict[str, Any]] = {
    "chat": BODY,
    "responses": {"input": "hi"},
    "messages": {**BODY, "max_tokens": 1},
    "events": {"message": "hi"},
    "ui": {"messages": [{"id": "1", "role": "user", "parts": [{"type": "text", "text": "hi"}]}]},
}


def refused(dialect: str, body: object) -> tuple[str, str | None]:
    """The code and the field of the error."""
    with pytest.raises(ClientError) as caught:
        DIALECTS[dialect].parse(body)
    assert caught.value.status == 400
    return caught.value.code, caught.value.param


@pytest.mark.parametrize("dialect", ["chat", "responses", "messages", "events", "ui"])
@pytest.mark.parametrize(("model", "fits"), [("m" * 256, True), ("m" * 257, False), ("m\n", False)])
def test_name_of_a_model_is_bounded(dialect: str, model: str, fits: bool) -> None:
    """A model's name of more than 256 characters, or with a control character, is refused."""
    body = {**_BODIES[dialect], "model": model}

    if fits:
        assert DIALECTS[dialect].parse(body).model == model
    else:
        assert refused(dialect, body) == ("invalid_value", "model")


def test_chat_body_passes_untouched() -> None:
    """Unknown fields are kept for the provider."""
    body = {
        **BODY,
        "stream": True,
        "n": 2,
        "x_new": {"a": [1]},
        "stream_options": {"x": 1},
        "max_tokens": -1,
    }
    before = copy.deepcopy(body)

    request = DIALECTS["chat"].parse(body)

    assert (request.model, request.stream) == ("m", True)
    assert request.body == before


@pytest.mark.parametrize("stream", [{}, {"stream": None}, {"stream": False}])
def test_chat_streams_on_request(stream: dict[str, Any]) -> None:
    """Without ``stream`` the response is not streamed."""
    assert not DIALECTS["chat"].parse({**BODY, **stream}).stream


@pytest.mark.parametrize("role", ["system", "developer", "user", "assistant", "tool", "function"])
def test_every_role_is_taken(role: str) -> None:
    """All roles of the API are accepted, including deprecated ones."""
    message = {"role": role, "content": "x", "tool_call_id": "c1", "name": "n"}
    assert DIALECTS["chat"].parse({**BODY, "messages": [message]}).body


@pytest.mark.parametrize(
    ("change", "code", "param"),
    [
        ({"model": None}, "missing_required_parameter", "model"),
        ({"model": ["m"]}, "invalid_type", "model"),
        ({"messages": None}, "missing_required_parameter", "messages"),
        ({"messages": {}}, "invalid_type", "messages"),
        ({"messages": []}, "invalid_value", "messages"),
        ({"messages": [USER, "x"]}, "invalid_type", "messages[1]"),
        ({"messages": [USER, {}]}, "missing_required_parameter", "messages[1].role"),
        ({"messages": [{"role": []}]}, "invalid_type", "messages[0].role"),
        ({"messages": [{"role": "robot"}]}, "invalid_value", "messages[0].role"),
        ({"stream": 0}, "invalid_type", "stream"),
        ({"stream": "true"}, "invalid_type", "stream"),
        ({"n": 0}, "invalid_value", "n"),
        ({"n": 129}, "invalid_value", "n"),
        ({"n": 1.5}, "invalid_type", "n"),
        ({"n": True}, "invalid_type", "n"),
        ({"stream": True, "stream_options": []}, "invalid_type", "stream_options"),
        ({"stream_options": {}}, "invalid_value", "stream_options"),
    ],
)
def test_chat_names_the_field(change: dict[str, Any], code: str, param: str) -> None:
    """A refusal names the field and the reason."""
    assert refused("chat", {**BODY, **change}) == (code, param)


@pytest.mark.parametrize("dialect", ["chat", "events"])
@pytest.mark.parametrize("body", [None, [], "x", 5])
def test_body_must_be_object(dialect: str, body: object) -> None:
    """A body that is not an object is refused without a field."""
    assert refused(dialect, body) == ("invalid_type", None)


def test_request_hides_its_body() -> None:
    """``repr`` of a request has no prompt."""
    assert "hi" not in repr(DIALECTS["chat"].parse(BODY))


@pytest.mark.parametrize(
    ("body", "messages"),
    [
        ({"message": "hi"}, [USER]),
        ({"messages": [USER]}, [USER]),
        ({"message": "hi", "system": "s"}, [{"role": "system", "content": "s"}, USER]),
    ],
)
def test_typed_message_becomes_chat(body: dict[str, Any], messages: list[Any]) -> None:
    """The typed route accepts one message or several, with or without a system prompt."""
    request = DIALECTS["events"].parse(body)
    assert (request.model, request.stream) == ("", True)
    assert request.body == {"model": "", "messages": messages}


def test_typed_options_go_to_chat() -> None:
    """Options of the Chat API are passed on; tokenwire's own fields are not."""
    options: dict[str, Any] = {
        "model": "m",
        "temperature": 0.5,
        "top_p": 1,
        "max_tokens": 5,
        "stop": ["x"],
        "tools": [],
        "tool_choice": "auto",
    }
    request = DIALECTS["events"].parse({"message": "hi", "on_disconnect": "cancel", **options})
    assert request.body == {**options, "messages": [USER]}


@pytest.mark.parametrize(
    ("body", "code", "param"),
    [
        ({}, "missing_required_parameter", "message"),
        ({"message": "x", "messages": [USER]}, "missing_required_parameter", "message"),
        ({"message": 5}, "invalid_type", "message"),
        ({"messages": []}, "invalid_value", "messages"),
        ({"messages": [{"role": "x"}]}, "invalid_value", "messages[0].role"),
        ({"message": "x", "model": 5}, "invalid_type", "model"),
        ({"message": "x", "system": 5}, "invalid_type", "system"),
        ({"message": "x", "prompt": "y"}, "unknown_parameter", "prompt"),
    ],
)
def test_typed_names_the_field(body: dict[str, Any], code: str, param: str) -> None:
    """The typed route refuses unknown fields."""
    assert refused("events", body) == (code, param)
