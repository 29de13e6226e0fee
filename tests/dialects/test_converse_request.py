"""Requests to Bedrock's Converse: translated fields, and refused fields."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.dialects import provider_types
from tests.dialects.test_translation import MESSAGES, PDF, PNG, SCHEMA
from tokenwire.errors import ClientError
from tokenwire.providers.bedrock.request import request

MODEL = "anthropic.claude-x-v1:0"
HI = [{"role": "user", "content": "Hi"}]
USE = {"type": "tool_use", "id": "c", "name": "f", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "c", "content": "ok"}
CALLED = [
    *HI,
    {"role": "assistant", "content": [USE]},
    {"role": "user", "content": [RESULT]},
]
TOOLS = [{"name": "f", "input_schema": {}}]


def ask(model: str = MODEL, **more: Any) -> Any:
    """Translate a Messages request and validate it with botocore's model of the service."""
    found = request({"max_tokens": 9, "messages": HI, **more}, model)
    provider_types.converse(found)
    return found


def requested(*blocks: Any) -> list[Any]:
    """One user's turn."""
    return [{"role": "user", "content": list(blocks)}]


def test_requests_become_converse() -> None:
    """All fields that have a counterpart in Converse are translated."""
    question, *rest = MESSAGES["messages"]
    parts = [p for p in question["content"] if p.get("source", {}).get("type") != "url"]
    thoughts = [
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "redacted_thinking", "data": "d"},
    ]
    output = ask(
        **{
            **MESSAGES,
            "model": MODEL,
            "tool_choice": {"type": "any"},
            "messages": [
                {"role": "user", "content": parts},
                *rest,
                {"role": "assistant", "content": thoughts},
            ],
        }
    )
    first, calls, results, thought = output["messages"]
    assert first["content"] == [
        {"text": "What is this?"},
        {"image": {"format": "png", "source": {"bytes": PNG}}},
        {"document": {"format": "pdf", "name": "a pdf", "source": {"bytes": PDF}}},
    ]
    assert calls["content"][1] == {
        "toolUse": {"toolUseId": "c1", "name": "weather", "input": {"city": "Köln"}}
    }
    assert results["content"][0] == {
        "toolResult": {"toolUseId": "c1", "content": [{"text": "sunny"}], "status": "success"}
    }
    assert thought["content"] == [
        {"reasoningContent": {"reasoningText": {"text": "hm", "signature": "s"}}},
        {"reasoningContent": {"redactedContent": "d"}},
    ]
    assert output["system"] == [{"text": "Be brief."}]
    assert output["inferenceConfig"] == {
        "maxTokens": 99,
        "temperature": 0.5,
        "topP": 0.9,
        "stopSequences": ["END"],
    }
    spec = {"name": "weather", "inputSchema": {"json": SCHEMA}, "description": "d", "strict": True}
    assert output["toolConfig"] == {"tools": [{"toolSpec": spec}], "toolChoice": {"any": {}}}
    assert output["requestMetadata"] == {"user_id": "u1"}
    assert output["outputConfig"]["effort"] == "high"
    form = output["outputConfig"]["textFormat"]["structure"]["jsonSchema"]["schema"]
    assert json.loads(form) == SCHEMA
    named = ask(tools=TOOLS, tool_choice={"type": "tool", "name": "f"})
    assert named["toolConfig"]["toolChoice"] == {"tool": {"name": "f"}}


def test_what_only_claude_knows() -> None:
    """Fields of Anthropic's models are forwarded by Converse."""
    thinking = {"type": "enabled", "budget_tokens": 1024}
    output = ask("anthropic.claude-sonnet-4-5-v1:0", top_k=5, thinking=thinking)
    assert output["additionalModelRequestFields"] == {"top_k": 5, "thinking": thinking}


def test_turns_of_one_role_are_one() -> None:
    """Turns alternate; blank texts and empty turns are dropped."""
    turns = [
        *requested({"type": "text", "text": "a"}),
        {"role": "assistant", "content": " "},
        {"role": "user", "content": "b"},
        {"role": "assistant", "content": [{"type": "text", "text": ""}]},
    ]
    assert ask(messages=turns)["messages"] == [
        {"role": "user", "content": [{"text": "a"}, {"text": "b"}]}
    ]


@pytest.mark.parametrize("content", [None, "", " \n", [], [{"type": "text", "text": ""}]])
def test_empty_result_is_a_result(content: Any) -> None:
    """An empty result gets content, whatever its status."""
    result = {**RESULT, "content": content, "is_error": True}
    output = ask(messages=[*CALLED[:2], *requested(result)], tools=TOOLS)
    (block,) = output["messages"][2]["content"]
    assert block["toolResult"]["content"] == [{"json": {"result": ""}}]
    assert block["toolResult"]["status"] == "error"


@pytest.mark.parametrize(
    "more", [{}, {"tools": []}, {"tools": TOOLS, "tool_choice": {"type": "none"}}]
)
def test_calls_of_earlier_turns_have_tools(more: dict[str, Any]) -> None:
    """Without tools, or with the choice "none", called tools are declared as unavailable."""
    output = ask(messages=CALLED, **more)
    (tool,) = output["toolConfig"]["tools"]
    assert tool["toolSpec"]["name"] == "f"
    assert "not available any more" in tool["toolSpec"]["description"]
    assert "toolChoice" not in output["toolConfig"]


def test_no_tool_means_no_tools() -> None:
    """Without earlier calls, the choice "none" removes the tools."""
    assert "toolConfig" not in ask(tools=TOOLS, tool_choice={"type": "none"})


def test_parallel_calls_are_left_to_the_reader() -> None:
    """Disabling parallel calls does not change the request: Converse has no parameter for it."""
    choice = {"type": "auto", "disable_parallel_tool_use": True}
    assert ask(tools=TOOLS, tool_choice=choice)["toolConfig"]["toolChoice"] == {"auto": {}}


def test_documents_have_names_of_their_own() -> None:
    """Document names have letters, digits and single spaces, and are unique."""
    pdf = {"type": "base64", "media_type": "application/pdf", "data": PDF}
    plain = {"type": "text", "media_type": "text/plain", "data": "x"}
    blocks = [
        {"type": "document", "source": pdf, "title": "ä/b  c.pdf"},
        {"type": "document", "source": pdf, "title": "ä/b  c.pdf"},
        {"type": "document", "source": plain, "title": "…"},
    ]
    output = ask(messages=requested({"type": "text", "text": "x"}, *blocks))
    names = [block["document"]["name"] for block in output["messages"][0]["content"][1:]]
    assert names == ["b c pdf", "b c pdf 2", "document"]


@pytest.mark.parametrize(("user", "is_kept"), [("u:1", True), ("ü", False), ("u" * 257, False)])
def test_users_are_labelled(user: str, is_kept: bool) -> None:
    """A user id with characters that Bedrock does not accept is replaced by its digest."""
    label = ask(metadata={"user_id": user})["requestMetadata"]["user_id"]
    assert (label == user) is is_kept
    assert label == ask(metadata={"user_id": user})["requestMetadata"]["user_id"]


def test_formats_and_blank_descriptions() -> None:
    """Variants of the same request are accepted."""
    source = {"type": "base64", "media_type": "image/jpg", "data": PNG}
    output = ask(
        messages=requested({"type": "image", "source": source}),
        tools=[{"name": "f", "input_schema": {"properties": {}}, "description": " "}],
        stop_sequences=[""],
        system=" ",
    )
    assert output["messages"][0]["content"][0]["image"]["format"] == "jpeg"
    spec = {"name": "f", "inputSchema": {"json": {"type": "object", "properties": {}}}}
    assert output["toolConfig"]["tools"] == [{"toolSpec": spec}]
    assert "stopSequences" not in output["inferenceConfig"]
    assert "system" not in output


PDF_BLOCK = {
    "type": "document",
    "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
}
BLOCK = "messages[0].content[0]"


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"top_k": 5}, "top_k"),
        ({"thinking": {"type": "adaptive"}}, "thinking"),
        ({"output_config": {"effort": "low"}}, "output_config.effort"),
        ({"output_config": {"format": {"type": "json_object"}}}, "output_config.format"),
        ({"output_config": {"later": 1}}, "output_config.later"),
        ({"container": "c"}, "container"),
        ({"temperature": 1.5}, "temperature"),
        ({"tools": TOOLS, "tool_choice": {"type": "x"}}, "tool_choice.type"),
        ({"tool_choice": {"type": "any"}}, "tool_choice"),
        ({"tools": [{"type": "bash_20250124"}]}, "tools[0].type"),
        ({"messages": [*HI, {"role": "system", "content": "x"}]}, "messages[1].role"),
        ({"messages": [{"role": "assistant", "content": "x"}, *HI]}, "messages[0].role"),
        ({"messages": requested(RESULT)}, f"{BLOCK}.tool_use_id"),
        ({"messages": requested(USE)}, f"{BLOCK}.type"),
        ({"messages": CALLED[:2]}, "messages[1].content[0]"),
        ({"messages": [*CALLED[:2], *HI]}, "messages[1].content[0]"),
        ({"messages": [*CALLED, *requested(RESULT)]}, "messages[3].content[0].tool_use_id"),
        (
            {"messages": [*CALLED[:2], *requested(RESULT, {**RESULT, "tool_use_id": "d"})]},
            "messages[2].content[1].tool_use_id",
        ),
        (
            {"messages": [*HI, {"role": "assistant", "content": [USE, USE]}, *requested(RESULT)]},
            "messages[1].content[1].id",
        ),
        ({"messages": [{"role": "user", "content": ""}]}, "messages"),
        ({"messages": requested(PDF_BLOCK)}, BLOCK),
        (
            {"messages": requested({**PDF_BLOCK, "citations": {"enabled": True}})},
            f"{BLOCK}.citations",
        ),
        (
            {"messages": requested({"type": "document", "source": {"type": "url"}})},
            f"{BLOCK}.source.type",
        ),
        (
            {
                "messages": requested(
                    {"type": "document", "source": {"type": "base64", "media_type": "x/y"}}
                )
            },
            f"{BLOCK}.source.media_type",
        ),
        (
            {"messages": requested({"type": "image", "source": {"type": "url"}})},
            f"{BLOCK}.source.type",
        ),
        (
            {
                "messages": requested(
                    {"type": "image", "source": {"type": "base64", "media_type": "image/bmp"}}
                )
            },
            f"{BLOCK}.source.media_type",
        ),
        ({"messages": requested({"type": "x"})}, f"{BLOCK}.type"),
        ({"system": [{"type": "image"}]}, "system[0].type"),
    ],
)
def test_what_converse_cannot_say(more: dict[str, Any], param: str) -> None:
    """A field without a counterpart is refused with its name."""
    with pytest.raises(ClientError) as caught:
        request({"max_tokens": 9, "messages": HI, **more}, "amazon.nova")
    assert caught.value.param == param
