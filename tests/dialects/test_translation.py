"""Translation of requests: translated fields, and refused fields."""

from __future__ import annotations

from typing import Any

import pytest

from tokenwire.dialects import DIALECTS
from tokenwire.errors import ClientError
from tokenwire.providers.messages_from_chat import from_chat

PNG = "iVBORw0KGgo="
PDF = "JVBERi0="
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}

CHAT: dict[str, Any] = {
    "model": "m",
    "messages": [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
                {"type": "image_url", "image_url": {"url": "https://a.test/b.png"}},
                {
                    "type": "file",
                    "file": {
                        "filename": "a.pdf",
                        "file_data": f"data:application/pdf;base64,{PDF}",
                    },
                },
            ],
        },
        {
            "role": "assistant",
            "content": "Let me see.",
            "tool_calls": [
                {
                    "id": "c1",
                    "type": "function",
                    "function": {"name": "weather", "arguments": '{"city":"Köln"}'},
                },
                {"id": "c2", "type": "function", "function": {"name": "time", "arguments": "{}"}},
            ],
        },
        {"role": "tool", "tool_call_id": "c1", "content": "sunny"},
        {"role": "tool", "tool_call_id": "c2", "content": "noon"},
    ],
    "max_tokens": 99,
    "temperature": 0.5,
    "top_p": 0.9,
    "stop": ["END"],
    "tools": [
        {
            "type": "function",
            "function": {
                "name": "weather",
                "parameters": SCHEMA,
                "description": "d",
                "strict": True,
            },
        }
    ],
    "tool_choice": {"type": "function", "function": {"name": "weather"}},
    "parallel_tool_calls": False,
    "reasoning_effort": "high",
    "response_format": {
        "type": "json_schema",
        "json_schema": {"name": "answer", "schema": SCHEMA, "strict": True},
    },
    "user": "u1",
}
MESSAGES: dict[str, Any] = {
    "model": "m",
    "system": [{"type": "text", "text": "Be brief."}],
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is this?"},
                {
                    "type": "image",
                    "source": {"type": "base64", "media_type": "image/png", "data": PNG},
                },
                {"type": "image", "source": {"type": "url", "url": "https://a.test/b.png"}},
                {
                    "type": "document",
                    "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
                    "title": "a.pdf",
                },
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "Let me see."},
                {"type": "tool_use", "id": "c1", "name": "weather", "input": {"city": "Köln"}},
                {"type": "tool_use", "id": "c2", "name": "time", "input": {}},
            ],
        },
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "c1",
                    "content": [{"type": "text", "text": "sunny"}],
                },
                {
                    "type": "tool_result",
                    "tool_use_id": "c2",
                    "content": [{"type": "text", "text": "noon"}],
                },
            ],
        },
    ],
    "max_tokens": 99,
    "temperature": 0.5,
    "top_p": 0.9,
    "stop_sequences": ["END"],
    "tools": [{"name": "weather", "input_schema": SCHEMA, "description": "d", "strict": True}],
    "tool_choice": {"type": "tool", "name": "weather", "disable_parallel_tool_use": True},
    "output_config": {"effort": "high", "format": {"type": "json_schema", "schema": SCHEMA}},
    "metadata": {"user_id": "u1"},
}


def to_chat(dialect: str, **body: Any) -> Any:
    """Validate and translate a body of a dialect."""
    found = DIALECTS[dialect]
    return found.to_chat(found.parse({"model": "m", **body}).body)


def user(content: Any) -> list[Any]:
    """Return one user turn."""
    return [{"role": "user", "content": content}]


def test_chat_becomes_messages() -> None:
    """System, images, files, calls, results, tools, choice, schema, effort, limits, user."""
    assert from_chat(CHAT, "m") == {**MESSAGES, "stream": True}


def test_messages_become_chat() -> None:
    """All fields are translated back."""
    assert DIALECTS["messages"].to_chat(MESSAGES) == CHAT


def test_responses_become_chat() -> None:
    """The same request in Responses is translated the same."""
    sent = to_chat(
        "responses",
        instructions="Be brief.",
        input=[
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "What is this?"},
                    {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}"},
                    {"type": "input_image", "image_url": "https://a.test/b.png"},
                    {
                        "type": "input_file",
                        "filename": "a.pdf",
                        "file_data": f"data:application/pdf;base64,{PDF}",
                    },
                ],
            },
            {"type": "reasoning", "id": "rs_1", "summary": []},
            {
                "type": "message",
                "role": "assistant",
                "content": [{"type": "output_text", "text": "Let me see."}],
            },
            {
                "type": "function_call",
                "call_id": "c1",
                "name": "weather",
                "arguments": '{"city":"Köln"}',
            },
            {"type": "function_call", "call_id": "c2", "name": "time", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c1", "output": "sunny"},
            {
                "type": "function_call_output",
                "call_id": "c2",
                "output": [{"type": "input_text", "text": "noon"}],
            },
        ],
        max_output_tokens=99,
        temperature=0.5,
        top_p=0.9,
        tools=[
            {
                "type": "function",
                "name": "weather",
                "parameters": SCHEMA,
                "description": "d",
                "strict": True,
            }
        ],
        tool_choice={"type": "function", "name": "weather"},
        parallel_tool_calls=False,
        reasoning={"effort": "high", "summary": "auto"},
        text={
            "format": {"type": "json_schema", "name": "answer", "schema": SCHEMA, "strict": True},
            "verbosity": "low",
        },
        user="u1",
        store=True,
        include=["reasoning.encrypted_content"],
    )
    stop = CHAT["stop"]
    assert {**sent, "stop": stop} == {**CHAT, "verbosity": "low"}


def test_ui_messages_become_chat() -> None:
    """A request of ``useChat`` is translated, without parts that only the page uses."""
    sent = to_chat(
        "ui",
        id="c",
        trigger="submit-message",
        system="Be brief.",
        temperature=0.5,
        messages=[
            {
                "id": "1",
                "role": "user",
                "parts": [
                    {"type": "text", "text": "What is this?"},
                    {
                        "type": "file",
                        "mediaType": "image/png",
                        "url": f"data:image/png;base64,{PNG}",
                    },
                    {
                        "type": "file",
                        "mediaType": "application/pdf",
                        "filename": "a.pdf",
                        "url": f"data:application/pdf;base64,{PDF}",
                    },
                ],
            },
            {
                "id": "2",
                "role": "assistant",
                "parts": [
                    {"type": "step-start"},
                    {"type": "reasoning", "text": "hm"},
                    {"type": "text", "text": "Let me see."},
                    {
                        "type": "tool-weather",
                        "toolCallId": "c1",
                        "state": "output-available",
                        "input": {"city": "Köln"},
                        "output": {"sky": "sunny"},
                    },
                    {
                        "type": "dynamic-tool",
                        "toolName": "time",
                        "toolCallId": "c2",
                        "state": "output-error",
                        "errorText": "late",
                    },
                    {"type": "data-x", "data": 1},
                ],
            },
            {"id": "3", "role": "user", "parts": [{"type": "text", "text": "So?"}]},
        ],
    )
    system, question, answer, sunny, late, so = sent["messages"]
    assert (system, so) == (CHAT["messages"][0], {"role": "user", "content": "So?"})
    assert question["content"] == [
        part for n, part in enumerate(CHAT["messages"][1]["content"]) if n != 2
    ]
    assert answer == CHAT["messages"][2]
    assert sunny == {"role": "tool", "tool_call_id": "c1", "content": '{"sky":"sunny"}'}
    assert late == {"role": "tool", "tool_call_id": "c2", "content": "Error: late"}
    assert sent["temperature"] == 0.5


def test_small_words_of_messages() -> None:
    """Earlier thinking is dropped, errors are marked, budgets become efforts."""
    sent = to_chat(
        "messages",
        max_tokens=9,
        system="s",
        cache_control={"type": "ephemeral"},
        thinking={"type": "enabled", "budget_tokens": 5000},
        tools=[{"name": "f", "input_schema": {}}],
        tool_choice={"type": "any"},
        messages=[
            {"role": "user", "content": "x"},
            {"role": "system", "content": "later"},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "hm", "signature": "s"},
                    {"type": "redacted_thinking", "data": "d"},
                    {"type": "tool_use", "id": "c", "name": "f", "input": {}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "c", "content": "no", "is_error": True},
                    {
                        "type": "document",
                        "source": {"type": "text", "media_type": "text/plain", "data": "plain"},
                    },
                    {"type": "text", "text": "go on"},
                ],
            },
        ],
    )
    assert sent["reasoning_effort"] == "medium"
    assert sent["tool_choice"] == "required"
    system, _, later, answer, result, last = sent["messages"]
    assert (system["content"], later) == ("s", {"role": "system", "content": "later"})
    assert (answer["content"], answer["tool_calls"][0]["id"]) == (None, "c")
    assert result == {"role": "tool", "tool_call_id": "c", "content": "Error: no"}
    assert last["content"] == [{"type": "text", "text": "plain"}, {"type": "text", "text": "go on"}]


def test_small_words_of_chat() -> None:
    """Defaults are ignored; a later system message keeps its position; null differs from empty."""
    sent = from_chat(
        {
            "messages": [
                {"role": "developer", "content": "a"},
                {"role": "user", "content": "x"},
                {"role": "system", "content": "b"},
                {"role": "assistant", "refusal": "no", "content": None},
                {"role": "assistant", "content": None},
                {"role": "user", "content": [{"type": "text", "text": "y"}]},
            ],
            "n": 1,
            "store": False,
            "presence_penalty": 0,
            "stop": "END",
            "reasoning_effort": "none",
            "tools": [{"type": "function", "function": {"name": "f"}}],
            "parallel_tool_calls": False,
            "response_format": {"type": "text"},
        },
        "m",
    )
    assert sent["system"] == [{"type": "text", "text": "a"}]
    assert [turn["role"] for turn in sent["messages"]] == [
        "user",
        "system",
        "assistant",
        "assistant",
        "user",
    ]
    assert sent["messages"][2]["content"] == [{"type": "text", "text": "no"}]
    assert sent["messages"][3]["content"] == []  # dropped when the turns are normalised
    assert sent["stop_sequences"] == ["END"]
    assert sent["thinking"] == {"type": "disabled"}
    assert sent["tool_choice"] == {"type": "auto", "disable_parallel_tool_use": True}
    assert sent["max_tokens"] == 8192


PART = "messages[0].content[0]"
FILE = {"type": "file", "file_id": "f"}


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"n": 2}, "n"),
        ({"seed": 1}, "seed"),
        ({"logprobs": True}, "logprobs"),
        ({"logit_bias": {"1": 1}}, "logit_bias"),
        ({"functions": [{"name": "f"}]}, "functions"),
        ({"web_search_options": {"search_context_size": "low"}}, "web_search_options"),
        ({"reasoning_effort": "x"}, "reasoning_effort"),
        ({"tools": [{"type": "custom", "custom": {"name": "f"}}]}, "tools[0].type"),
        ({"tools": [{"type": "later"}]}, "tools[0].type"),
        ({"tools": ["x"]}, "tools[0]"),
        ({"tool_choice": {"type": "x"}}, "tool_choice"),
        ({"messages": user([{"type": "input_audio"}])}, f"{PART}.input_audio"),
        ({"messages": user([{"type": "later"}])}, f"{PART}.type"),
        ({"messages": user([{"type": "text", "text": 5}])}, f"{PART}.text"),
        ({"messages": user(["x"])}, PART),
        ({"messages": user(5)}, "messages[0].content"),
        (
            {"messages": user([{"type": "image_url", "image_url": {"url": "http://a.test"}}])},
            f"{PART}.image_url.url",
        ),
        (
            {"messages": user([{"type": "image_url", "image_url": "x"}])},
            f"{PART}.image_url",
        ),
        ({"messages": user([{"type": "file", "file": {"file_id": "f"}}])}, f"{PART}.file.file_id"),
        (
            {"messages": user([{"type": "file", "file": {"file_data": "x"}}])},
            f"{PART}.file.file_data",
        ),
        ({"messages": [{"role": "function", "name": "f", "content": "x"}]}, "messages[0].role"),
        (
            {"messages": [{"role": "assistant", "function_call": {"name": "f", "arguments": ""}}]},
            "messages[0].function_call",
        ),
        (
            {
                "messages": [
                    {
                        "role": "assistant",
                        "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "["}}],
                    }
                ]
            },
            "messages[0].tool_calls[0].function.arguments",
        ),
        ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id"),
    ],
)
def test_chat_that_messages_cannot_say(body: dict[str, Any], param: str) -> None:
    """A field without a counterpart is refused with its name."""
    with pytest.raises(ClientError) as caught:
        from_chat(to_chat("chat", **{"messages": user("x"), **body}), "m")
    assert caught.value.param == param
    assert param in caught.value.message


@pytest.mark.parametrize(
    ("dialect", "body", "param"),
    [
        ("messages", {"top_k": 5}, "top_k"),
        ("messages", {"container": "c"}, "container"),
        ("messages", {"tools": [{"type": "web_search_20250305"}]}, "tools[0].type"),
        ("messages", {"tool_choice": {"type": "x"}}, "tool_choice.type"),
        ("messages", {"output_config": {"effort": "x"}}, "output_config.effort"),
        ("messages", {"output_config": {"later": 1}}, "output_config.later"),
        ("messages", {"system": [{"type": "image", "source": FILE}]}, "system[0].type"),
        ("messages", {"messages": user([{"type": "search_result"}])}, f"{PART}.type"),
        (
            "messages",
            {"messages": [{"role": "assistant", "content": [{"type": "image", "source": FILE}]}]},
            f"{PART}.type",
        ),
        (
            "messages",
            {"messages": user([{"type": "image", "source": FILE}])},
            f"{PART}.source.type",
        ),
        (
            "messages",
            {"messages": user([{"type": "image", "source": {"type": "url", "url": "file:///x"}}])},
            f"{PART}.source.url",
        ),
        (
            "messages",
            {"messages": user([{"type": "document", "source": FILE}])},
            f"{PART}.source.type",
        ),
        (
            "messages",
            {
                "messages": user(
                    [{"type": "document", "source": FILE, "citations": {"enabled": True}}]
                )
            },
            f"{PART}.citations",
        ),
        ("responses", {"conversation": "c"}, "conversation"),
        ("responses", {"truncation": "auto"}, "truncation"),
        ("responses", {"include": ["message.output_text.logprobs"]}, "include[0]"),
        ("responses", {"reasoning": {"later": 1}}, "reasoning.later"),
        ("responses", {"text": {"format": {"type": "x"}}}, "text.format.type"),
        ("responses", {"tool_choice": {"type": "web_search"}}, "tool_choice"),
        ("responses", {"input": [{"type": "later"}]}, "input[0].type"),
        ("responses", {"input": [{"type": ""}]}, "input[0].type"),
        ("responses", {"input": [{"role": "x", "content": ""}]}, "input[0].role"),
        ("responses", {"input": 5}, "input"),
        (
            "responses",
            {"input": [{"role": "user", "content": [{"type": "input_image", "file_id": "f"}]}]},
            "input[0].content[0].type",
        ),
        (
            "responses",
            {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": "x"}]}]},
            "input[0].content[0].image_url",
        ),
        ("ui", {"later": 1}, "later"),
        ("ui", {"messages": [{"role": "x", "parts": []}]}, "messages[0].role"),
        (
            "ui",
            {
                "messages": [
                    {
                        "role": "user",
                        "parts": [{"type": "file", "mediaType": "application/pdf", "url": "x"}],
                    }
                ]
            },
            "messages[0].parts[0].url",
        ),
        (
            "ui",
            {"messages": [{"role": "assistant", "parts": [{"type": "later"}]}]},
            "messages[0].parts[0].type",
        ),
    ],
)
def test_what_chat_cannot_say(dialect: str, body: dict[str, Any], param: str) -> None:
    """A field without a counterpart is refused with its name."""
    base: dict[str, Any] = {"input": "x", "max_output_tokens": 9} if dialect == "responses" else {}
    base |= {"messages": user("x"), "max_tokens": 9} if dialect == "messages" else {}
    base |= {"messages": [{"role": "user", "parts": []}]} if dialect == "ui" else {}
    with pytest.raises(ClientError) as caught:
        to_chat(dialect, **{**base, **body})
    assert caught.value.param == param
    assert caught.value.status == 400


def test_plain_forms() -> None:
    """String inputs, other choices, JSON objects and calls without results are translated."""
    sent = to_chat(
        "responses", input="x", tool_choice="required", text={"format": {"type": "json_object"}}
    )
    assert sent["messages"] == user("x")
    assert (sent["tool_choice"], sent["response_format"]) == ("required", {"type": "json_object"})
    calling = {"type": "tool-f", "toolCallId": "c", "state": "input-available", "input": {}}
    sent = to_chat("ui", messages=[{"role": "assistant", "parts": [calling]}])
    assert [message["role"] for message in sent["messages"]] == ["assistant"]
