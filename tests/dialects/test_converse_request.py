"""Requests to Bedrock's Converse: what is carried over, and what is refused by name."""

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
    """A Messages request, translated, and taken by botocore's model of the service."""
    found = request({"max_tokens": 9, "messages": HI, **more}, model)
    provider_types.converse(found)
    return found


def asked(*blocks: Any) -> list[Any]:
    """One user's turn."""
    return [{"role": "user", "content": list(blocks)}]


def test_requests_become_converse() -> None:
    """Everything that Messages and Converse share."""
    question, *rest = MESSAGES["messages"]
    parts = [p for p in question["content"] if p.get("source", {}).get("type") != "url"]
    thoughts = [
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "redacted_thinking", "data": "d"},
    ]
    said = ask(
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
    first, calls, results, thought = said["messages"]
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
    assert said["system"] == [{"text": "Be brief."}]
    assert said["inferenceConfig"] == {
        "maxTokens": 99,
        "temperature": 0.5,
        "topP": 0.9,
        "stopSequences": ["END"],
    }
    spec = {"name": "weather", "inputSchema": {"json": SCHEMA}, "description": "d", "strict": True}
    assert said["toolConfig"] == {"tools": [{"toolSpec": spec}], "toolChoice": {"any": {}}}
    assert said["requestMetadata"] == {"user_id": "u1"}
    assert said["outputConfig"]["effort"] == "high"
    form = said["outputConfig"]["textFormat"]["structure"]["jsonSchema"]["schema"]
    assert json.loads(form) == SCHEMA
    named = ask(tools=TOOLS, tool_choice={"type": "tool", "name": "f"})
    assert named["toolConfig"]["toolChoice"] == {"tool": {"name": "f"}}


def test_what_only_claude_knows() -> None:
    """Converse hands it on to the model."""
    thinking = {"type": "enabled", "budget_tokens": 1024}
    said = ask("anthropic.claude-sonnet-4-5-v1:0", top_k=5, thinking=thinking)
    assert said["additionalModelRequestFields"] == {"top_k": 5, "thinking": thinking}


def test_turns_of_one_role_are_one() -> None:
    """Bedrock wants roles to alternate; blank texts go, and turns of nothing else."""
    turns = [
        *asked({"type": "text", "text": "a"}),
        {"role": "assistant", "content": " "},
        {"role": "user", "content": "b"},
        {"role": "assistant", "content": [{"type": "text", "text": ""}]},
    ]
    assert ask(messages=turns)["messages"] == [
        {"role": "user", "content": [{"text": "a"}, {"text": "b"}]}
    ]


@pytest.mark.parametrize("content", [None, "", " \n", [], [{"type": "text", "text": ""}]])
def test_empty_result_is_a_result(content: Any) -> None:
    """Bedrock takes no result without content, whatever its status."""
    result = {**RESULT, "content": content, "is_error": True}
    said = ask(messages=[*CALLED[:2], *asked(result)], tools=TOOLS)
    (block,) = said["messages"][2]["content"]
    assert block["toolResult"]["content"] == [{"json": {"result": ""}}]
    assert block["toolResult"]["status"] == "error"


@pytest.mark.parametrize(
    "more", [{}, {"tools": []}, {"tools": TOOLS, "tool_choice": {"type": "none"}}]
)
def test_calls_of_earlier_turns_have_tools(more: dict[str, Any]) -> None:
    """Tool blocks want a tool configuration, and there is no choice of none: they are gone."""
    said = ask(messages=CALLED, **more)
    (tool,) = said["toolConfig"]["tools"]
    assert tool["toolSpec"]["name"] == "f"
    assert "not available any more" in tool["toolSpec"]["description"]
    assert "toolChoice" not in said["toolConfig"]


def test_no_tool_means_no_tools() -> None:
    """Where none was called, a choice of none leaves them out."""
    assert "toolConfig" not in ask(tools=TOOLS, tool_choice={"type": "none"})


def test_parallel_calls_are_left_to_the_reader() -> None:
    """Converse has no parameter against them, and the request is as any other."""
    choice = {"type": "auto", "disable_parallel_tool_use": True}
    assert ask(tools=TOOLS, tool_choice=choice)["toolConfig"]["toolChoice"] == {"auto": {}}


def test_documents_have_names_of_their_own() -> None:
    """Of letters, digits and single spaces, and none twice."""
    pdf = {"type": "base64", "media_type": "application/pdf", "data": PDF}
    plain = {"type": "text", "media_type": "text/plain", "data": "x"}
    blocks = [
        {"type": "document", "source": pdf, "title": "ä/b  c.pdf"},
        {"type": "document", "source": pdf, "title": "ä/b  c.pdf"},
        {"type": "document", "source": plain, "title": "…"},
    ]
    said = ask(messages=asked({"type": "text", "text": "x"}, *blocks))
    names = [block["document"]["name"] for block in said["messages"][0]["content"][1:]]
    assert names == ["b c pdf", "b c pdf 2", "document"]


@pytest.mark.parametrize(("user", "is_kept"), [("u:1", True), ("ü", False), ("u" * 257, False)])
def test_users_are_labelled(user: str, is_kept: bool) -> None:
    """Bedrock takes some characters only; for one with others its digest stands."""
    label = ask(metadata={"user_id": user})["requestMetadata"]["user_id"]
    assert (label == user) is is_kept
    assert label == ask(metadata={"user_id": user})["requestMetadata"]["user_id"]


def test_formats_and_blank_descriptions() -> None:
    """What clients write a little differently."""
    source = {"type": "base64", "media_type": "image/jpg", "data": PNG}
    said = ask(
        messages=asked({"type": "image", "source": source}),
        tools=[{"name": "f", "input_schema": {"properties": {}}, "description": " "}],
        stop_sequences=[""],
        system=" ",
    )
    assert said["messages"][0]["content"][0]["image"]["format"] == "jpeg"
    spec = {"name": "f", "inputSchema": {"json": {"type": "object", "properties": {}}}}
    assert said["toolConfig"]["tools"] == [{"toolSpec": spec}]
    assert "stopSequences" not in said["inferenceConfig"]
    assert "system" not in said


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
        ({"messages": asked(RESULT)}, f"{BLOCK}.tool_use_id"),
        ({"messages": asked(USE)}, f"{BLOCK}.type"),
        ({"messages": CALLED[:2]}, "messages[1].content[0]"),
        ({"messages": [*CALLED[:2], *HI]}, "messages[1].content[0]"),
        ({"messages": [*CALLED, *asked(RESULT)]}, "messages[3].content[0].tool_use_id"),
        (
            {"messages": [*CALLED[:2], *asked(RESULT, {**RESULT, "tool_use_id": "d"})]},
            "messages[2].content[1].tool_use_id",
        ),
        (
            {"messages": [*HI, {"role": "assistant", "content": [USE, USE]}, *asked(RESULT)]},
            "messages[1].content[1].id",
        ),
        ({"messages": [{"role": "user", "content": ""}]}, "messages"),
        ({"messages": asked(PDF_BLOCK)}, BLOCK),
        ({"messages": asked({**PDF_BLOCK, "citations": {"enabled": True}})}, f"{BLOCK}.citations"),
        (
            {"messages": asked({"type": "document", "source": {"type": "url"}})},
            f"{BLOCK}.source.type",
        ),
        (
            {
                "messages": asked(
                    {"type": "document", "source": {"type": "base64", "media_type": "x/y"}}
                )
            },
            f"{BLOCK}.source.media_type",
        ),
        (
            {"messages": asked({"type": "image", "source": {"type": "url"}})},
            f"{BLOCK}.source.type",
        ),
        (
            {
                "messages": asked(
                    {"type": "image", "source": {"type": "base64", "media_type": "image/bmp"}}
                )
            },
            f"{BLOCK}.source.media_type",
        ),
        ({"messages": asked({"type": "x"})}, f"{BLOCK}.type"),
        ({"system": [{"type": "image"}]}, "system[0].type"),
    ],
)
def test_what_converse_cannot_say(more: dict[str, Any], param: str) -> None:
    """Refused with the field's name, never dropped."""
    with pytest.raises(ClientError) as caught:
        request({"max_tokens": 9, "messages": HI, **more}, "amazon.nova")
    assert caught.value.param == param
