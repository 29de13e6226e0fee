"""Requests to Gemini's native API: translated fields, and refused fields."""

from __future__ import annotations

from typing import Any

import pytest

from tests.dialects import provider_types
from tests.dialects.test_legal import to_gemini
from tests.dialects.test_translation import MESSAGES, PDF, PNG, SCHEMA
from tokenwire.dialects.signatures import SKIP
from tokenwire.errors import ClientError
from tokenwire.providers.gemini.request import request

MODEL = "gemini-3-pro"
HI = [{"role": "user", "content": "Hi"}]
USE = {"type": "tool_use", "id": "c", "name": "f", "input": {}}
RESULT = {"type": "tool_result", "tool_use_id": "c", "content": "ok"}
TOOLS = [{"name": "f", "input_schema": {}}]


def ask(**more: Any) -> Any:
    """Translate a Messages request and validate it with Google's types."""
    found = request({"max_tokens": 9, "messages": HI, **more}, MODEL)
    provider_types.gemini(found)
    return found


def answered(*blocks: Any) -> list[Any]:
    """Return a conversation with a call in these blocks, and its result."""
    return [*HI, {"role": "assistant", "content": [*blocks]}, {"role": "user", "content": [RESULT]}]


def test_requests_become_gemini_s() -> None:
    """All fields that have a counterpart in Gemini's API are translated."""
    body = ask(**{**MESSAGES, "tool_choice": {"type": "tool", "name": "weather"}})
    question, calls, results = body["contents"]
    assert question["parts"] == [
        {"text": "What is this?"},
        {"inlineData": {"mimeType": "image/png", "data": PNG}},
        {"fileData": {"fileUri": "https://a.test/b.png", "mimeType": "image/png"}},
        {"inlineData": {"mimeType": "application/pdf", "data": PDF}},
    ]
    call = {"id": "c1", "name": "weather", "args": {"city": "Köln"}}
    assert (calls["role"], calls["parts"][1]["functionCall"]) == ("model", call)
    assert results["parts"][0] == {
        "functionResponse": {"id": "c1", "name": "weather", "response": {"result": "sunny"}}
    }
    assert body["systemInstruction"] == {"parts": [{"text": "Be brief."}]}
    assert body["generationConfig"] == {
        "maxOutputTokens": 99,
        "temperature": 0.5,
        "topP": 0.9,
        "stopSequences": ["END"],
        "responseMimeType": "application/json",
        "responseJsonSchema": SCHEMA,
        "thinkingConfig": {"includeThoughts": True, "thinkingLevel": "high"},
    }
    assert body["toolConfig"]["functionCallingConfig"] == {
        "mode": "ANY",
        "allowedFunctionNames": ["weather"],
    }
    (declared,) = body["tools"][0]["functionDeclarations"]
    assert declared == {"name": "weather", "parametersJsonSchema": SCHEMA, "description": "d"}


@pytest.mark.parametrize(
    ("more", "config"),
    [
        ({"thinking": {"type": "disabled"}}, {"thinkingBudget": 0}),
        (
            {"thinking": {"type": "enabled", "budget_tokens": 2048}},
            {"includeThoughts": True, "thinkingBudget": 2048},
        ),
        (
            {
                "thinking": {"type": "enabled", "budget_tokens": 2048},
                "output_config": {"effort": "max"},
            },
            {"includeThoughts": True, "thinkingLevel": "high"},
        ),
    ],
)
def test_thinking_is_configured(more: dict[str, Any], config: dict[str, Any]) -> None:
    """Thinking is off, a budget or a level; Google refuses a budget together with a level."""
    assert ask(**more)["generationConfig"]["thinkingConfig"] == config


def test_json_object_output() -> None:
    """JSON mode of a Chat caller becomes JSON output without a schema."""
    body = to_gemini({"messages": HI, "response_format": {"type": "json_object"}}, MODEL)
    provider_types.gemini(body)
    assert body["generationConfig"]["responseMimeType"] == "application/json"
    assert "responseJsonSchema" not in body["generationConfig"]


def test_temperature_above_one() -> None:
    """Temperatures up to 2 are accepted, as by OpenAI."""
    assert to_gemini({"messages": HI, "temperature": 1.7}, MODEL)["generationConfig"][
        "temperature"
    ] == pytest.approx(1.7)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("https://a.test/b.jpg?w=1", {"mimeType": "image/jpeg"}),
        ("https://a.test/b", {}),
    ],
)
def test_https_images(url: str, kind: dict[str, str]) -> None:
    """A URL is passed on for Google to fetch; tokenwire does not fetch it."""
    part = {"type": "image_url", "image_url": {"url": url}}
    body = to_gemini({"messages": [{"role": "user", "content": [part]}]}, MODEL)
    provider_types.gemini(body)
    assert body["contents"][0]["parts"] == [{"fileData": {"fileUri": url, **kind}}]


def test_text_documents_are_text() -> None:
    """A plain-text document becomes text."""
    source = {"type": "text", "media_type": "text/plain", "data": "plain"}
    block = {"type": "document", "source": source}
    (turn,) = ask(messages=[{"role": "user", "content": [block]}])["contents"]
    assert turn["parts"] == [{"text": "plain"}]


def test_signature_comes_back_on_its_call() -> None:
    """A signature in a thinking block is returned with its call.

    Gemini 3 refuses a call without it (Google's documentation of thought signatures).
    """
    thought = {"type": "thinking", "thinking": "hm", "signature": "google:c2ln"}
    _, turn, _ = ask(messages=answered(thought, USE), tools=TOOLS)["contents"]
    assert turn["parts"] == [
        {"text": "hm", "thought": True},
        {"functionCall": {"id": "c", "name": "f", "args": {}}, "thoughtSignature": "c2ln"},
    ]


def test_signature_comes_back_from_chat() -> None:
    """A signature in a Chat call's ``extra_content`` is returned with the call."""
    call = {
        "id": "c",
        "type": "function",
        "function": {"name": "f", "arguments": "{}"},
        "extra_content": {"google": {"thought_signature": "c2ln"}},
    }
    turns = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "ok"},
    ]
    body = to_gemini({"messages": turns}, MODEL)
    provider_types.gemini(body)
    assert body["contents"][1]["parts"][0]["thoughtSignature"] == "c2ln"


def test_signature_of_text_comes_back_on_it() -> None:
    """Without a call, the signature is added to the previous part, as Google recommends."""
    thought = {"type": "thinking", "thinking": "", "signature": "google:c2ln"}
    content = [{"type": "text", "text": "Hello"}, thought]
    _, turn, _ = ask(messages=[*HI, {"role": "assistant", "content": content}, *HI])["contents"]
    assert turn["parts"] == [{"text": "Hello", "thoughtSignature": "c2ln"}]


def test_signature_alone_is_no_turn() -> None:
    """A turn with only a signature is dropped, and its neighbours are merged."""
    thought = {"type": "thinking", "thinking": "", "signature": "google:c2ln"}
    (turn,) = ask(messages=[*HI, {"role": "assistant", "content": [thought]}, *HI])["contents"]
    assert turn == {"role": "user", "parts": [{"text": "Hi"}, {"text": "Hi"}]}


@pytest.mark.parametrize(
    ("model", "signature"),
    [("gemini-3-pro", SKIP), ("gemini-flash-latest", SKIP), ("gemini-2.5-pro", None)],
)
def test_unsigned_call_is_marked(model: str, signature: str | None) -> None:
    """A call without a signature gets the value that Google documents for this case.

    Only the first of parallel calls must have a signature.
    """
    foreign = {"type": "thinking", "thinking": "hm", "signature": "anthropics"}
    other = {**USE, "id": "d"}
    results = [RESULT, {**RESULT, "tool_use_id": "d"}]
    messages = [
        *HI,
        {"role": "assistant", "content": [foreign, USE, other]},
        {"role": "user", "content": results},
    ]
    body = request({"max_tokens": 9, "messages": messages, "tools": TOOLS}, model)
    provider_types.gemini(body)
    first, second = body["contents"][1]["parts"]
    assert (first.get("thoughtSignature"), second.get("thoughtSignature")) == (signature, None)


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"container": "c"}, "container"),
        ({"messages": [*HI, {"role": "system", "content": "x"}]}, "messages[1].role"),
        ({"messages": [{"role": "user", "content": " "}]}, "messages"),
        ({"messages": answered(USE)[1:], "tools": TOOLS}, "messages[0].role"),
        ({"messages": answered({"type": "later"}, USE)}, "messages[1].content[0].type"),
        ({"tools": [{"type": "bash_20250124"}]}, "tools[0].type"),
        ({"tools": TOOLS, "tool_choice": {"type": "x"}}, "tool_choice.type"),
        ({"tool_choice": {"type": "any"}}, "tool_choice"),
        ({"output_config": {"later": 1}}, "output_config.later"),
        (
            {"messages": [{"role": "user", "content": [RESULT]}]},
            "messages[0].content[0].tool_use_id",
        ),
        (
            {
                "messages": [
                    {"role": "user", "content": [{"type": "image", "source": {"type": "file"}}]}
                ]
            },
            "messages[0].content[0].source.type",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "x"}]}]},
            "messages[0].content[0].type",
        ),
        (
            {
                "messages": [
                    *answered(USE)[:2],
                    {"role": "user", "content": [{**RESULT, "content": [{"type": "image"}]}]},
                ]
            },
            "messages[2].content[0].content[0].type",
        ),
        ({"system": [{"type": "image"}]}, "system[0].type"),
    ],
)
def test_fields_that_gemini_lacks_are_refused(more: dict[str, Any], param: str) -> None:
    """A field without a counterpart is refused with its name."""
    with pytest.raises(ClientError) as caught:
        request({"max_tokens": 9, "messages": HI, **more}, MODEL)
    assert caught.value.param == param
