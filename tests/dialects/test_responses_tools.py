"""Custom tools and tools in namespaces, in requests and responses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tokenwire.dialects import DIALECTS
from tokenwire.dialects.responses.encode import ResponsesEncoder
from tokenwire.dialects.responses.tools import LETTERS, MOST, function_name
from tokenwire.errors import ClientError
from tokenwire.events import Event, Finish, Start, ToolCall

PATCH = {
    "type": "custom",
    "name": "apply_patch",
    "description": "Patches files.",
    "format": {"type": "grammar", "syntax": "lark", "definition": "start: hunk+"},
}
CLOSE = {"type": "function", "name": "close", "parameters": {"type": "object"}}
AGENTS = {"type": "namespace", "name": "agents", "tools": [CLOSE]}
RUN = {"type": "function", "name": "run", "parameters": {"type": "object"}}
SEARCH = {"type": "web_search"}


def body(*tools: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A checked request with these tools."""
    return (
        DIALECTS["responses"].parse({"model": "m", "input": "x", "tools": list(tools), **more}).body
    )


def to_chat(request: dict[str, Any]) -> dict[str, Any]:
    """The request, translated."""
    return DIALECTS["responses"].to_chat(request)


def test_custom_tool_becomes_function_with_one_text() -> None:
    """The description of a custom tool contains its grammar."""
    function = to_chat(body(PATCH))["tools"][0]["function"]
    assert function["name"] == "apply_patch"
    assert list(function["parameters"]["properties"]) == ["input"]
    assert function["description"].startswith("Patches files.")
    assert "lark grammar:\nstart: hunk+" in function["description"]


def test_namespace_becomes_prefix() -> None:
    """Tools in a namespace become functions with unique names."""
    found = to_chat(body(CLOSE, AGENTS))["tools"]
    assert [tool["function"]["name"] for tool in found] == ["close", "agents__close"]


def test_long_names_are_cut_and_stay_apart() -> None:
    """A function's name has at most 64 characters."""
    one, two = function_name("x" * 70 + "1", "n"), function_name("x" * 70 + "2", "n")
    assert len(one) == len(two) == 64
    assert one != two
    assert len(function_name("x" * 61, "n")) == 64
    assert function_name("x" * 61, "n") == "n__" + "x" * 61


def test_earlier_calls_have_the_same_names() -> None:
    """Earlier calls use the translated names of the tools."""
    items = [
        {"type": "custom_tool_call", "call_id": "c1", "name": "apply_patch", "input": 'a"b'},
        {"type": "custom_tool_call_output", "call_id": "c1", "output": "ok"},
        {
            "type": "function_call",
            "call_id": "c2",
            "name": "close",
            "namespace": "agents",
            "arguments": "{}",
        },
        {"type": "function_call_output", "call_id": "c2", "output": "closed"},
    ]
    turns = to_chat(body(PATCH, AGENTS, input=items))["messages"]
    assert [turn["role"] for turn in turns] == ["assistant", "tool", "assistant", "tool"]
    assert turns[0]["tool_calls"][0]["function"] == {
        "name": "apply_patch",
        "arguments": '{"input":"a\\"b"}',
    }
    assert turns[2]["tool_calls"][0]["function"]["name"] == "agents__close"


@pytest.mark.parametrize("kind", ["web_search", "web_search_preview", "tool_search"])
def test_offers_are_left_out_beside_tools(kind: str) -> None:
    """Web search is ignored beside other tools, and refused as the only tool."""
    offer = {"type": kind}
    assert len(to_chat(body(offer, RUN))["tools"]) == 1
    for request, param in (
        (body(offer), "tools[0].type"),
        (body(RUN, offer, tool_choice={"type": kind}), "tool_choice"),
        (body(RUN, {"type": "code_interpreter", "container": "c"}), "tools[1].type"),
        (body({**AGENTS, "tools": [AGENTS]}), "tools[0].tools[0].type"),
    ):
        with pytest.raises(ClientError) as caught:
            to_chat(request)
        assert caught.value.param == param


def reported(request: dict[str, Any], *pieces: ToolCall) -> list[dict[str, Any]]:
    """Return the events of an answer with these pieces of calls."""
    encoder = ResponsesEncoder()
    start = Start("st_1", "m", 1, DIALECTS["responses"].tools(request))
    result: list[Event] = [start, *pieces, Finish("tool_calls")]
    blocks = [out for event in result for out in encoder.encode(event)]
    lines = b"".join([*blocks, *encoder.end()]).decode().splitlines()
    data = [line.removeprefix("data: ") for line in lines if line.startswith("data: {")]
    return [json.loads(one) for one in data]


def test_custom_call_is_answered_as_declared() -> None:
    """The function's arguments become the text of a custom call."""
    events = reported(
        body(PATCH),
        ToolCall(0, "c1", "apply_patch", '{"inp'),
        ToolCall(0, arguments='ut":"*** Begin"}'),
    )
    kinds = [event["type"] for event in events]
    assert kinds[2:6] == [
        "response.output_item.added",
        "response.custom_tool_call_input.delta",
        "response.custom_tool_call_input.done",
        "response.output_item.done",
    ]
    assert events[2]["item"]["input"] == ""
    assert (events[3]["delta"], events[4]["input"]) == ("*** Begin", "*** Begin")
    assert events[5]["item"] == {
        "id": "ctc_1_0",
        "type": "custom_tool_call",
        "status": "completed",
        "call_id": "c1",
        "name": "apply_patch",
        "input": "*** Begin",
    }


@pytest.mark.parametrize("arguments", ["*** Begin", '{"x":1}', '"*** Begin"'])
def test_bare_text_is_taken_as_it_is(arguments: str) -> None:
    """Arguments that do not fit the schema become the text unchanged."""
    events = reported(body(PATCH), ToolCall(0, "c1", "apply_patch", arguments))
    assert events[-1]["response"]["output"][0]["input"] == arguments


def test_empty_call_has_no_delta() -> None:
    """An empty input has no delta."""
    events = reported(body(PATCH), ToolCall(0, "c1", "apply_patch", ""))
    assert not [event for event in events if event["type"].endswith("input.delta")]


def test_call_in_namespace_is_answered_as_declared() -> None:
    """The response has the name and the namespace separately; other calls have no namespace."""
    events = reported(
        body(RUN, AGENTS, PATCH),
        ToolCall(0, "c1", "agents__close", "{}"),
        ToolCall(1, "c2", "run", "{}"),
        ToolCall(2, "c3", "apply_patch", '{"input":"x"}'),
    )
    output = events[-1]["response"]["output"]
    assert [(item["name"], item.get("namespace")) for item in output] == [
        ("close", "agents"),
        ("run", None),
        ("apply_patch", None),
    ]


def test_names_are_bounded() -> None:
    """The number and the length of names are limited, since they are stored with the stream."""
    tools = DIALECTS["responses"].tools
    assert len(tools({"tools": [PATCH] * MOST})) == MOST
    assert tools({"tools": [{**PATCH, "name": "x" * LETTERS}]})
    for too_much in ([PATCH] * (MOST + 1), [{**PATCH, "name": "x" * (LETTERS + 1)}]):
        with pytest.raises(ClientError) as caught:
            tools({"tools": too_much})
        assert caught.value.param == "tools"
