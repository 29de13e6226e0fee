"""Validation of requests by the types of the providers' SDKs and by documented rules."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from typing import Any

import anthropic.types.message_create_params as anthropic_types
from botocore.session import Session
from botocore.validate import ParamValidator
from google.genai import types as google
from pydantic import TypeAdapter

from tests.dialects.typed_dicts import fits

ANTHROPIC_ID = re.compile(r"[a-zA-Z0-9_-]{1,64}")
# No longer in the SDK's types; the API accepts them for models before 4.7.
_SAMPLING = ("temperature", "top_p", "top_k")


@cache
def _converse() -> Any:
    return Session().get_service_model("bedrock-runtime").operation_model("ConverseStream")


def anthropic(body: Any) -> None:
    """Fail if the request does not fit anthropic-python's types and the documented rules."""
    typed = {name: value for name, value in body.items() if name not in _SAMPLING}
    assert fits(typed, anthropic_types.MessageCreateParamsStreaming)
    turns = [(turn["role"], turn["content"]) for turn in body["messages"]]
    conversation(turns)
    for block in (block for _, content in turns for block in content):
        if block["type"] == "tool_use":
            assert ANTHROPIC_ID.fullmatch(block["id"])
    has_calls = any(block["type"] == "tool_use" for _, content in turns for block in content)
    assert not has_calls or body["tools"]
    assert "tool_choice" not in body or body["tools"]
    assert all(tool["input_schema"]["type"] == "object" for tool in body.get("tools", ()))


def converse(body: Any) -> None:
    """Fail if the request does not fit botocore's model with its patterns, or the rules."""
    shape = _converse().input_shape
    report = ParamValidator().validate({"modelId": "m", **body}, shape)
    assert not report.has_errors(), report.generate_report()
    _bounds(body, shape)
    turns = [
        (turn["role"], [_from_converse(b) for b in turn["content"]]) for turn in body["messages"]
    ]
    conversation(turns)
    for _, content in turns:
        kinds = {block["type"] for block in content}
        assert "document" not in kinds or "text" in kinds
        assert not kinds & {"tool_use", "tool_result"} or body["toolConfig"]["tools"]


def _from_converse(block: Any) -> Any:
    ((kind, value),) = block.items()
    match kind:
        case "text":
            return {"type": "text", "text": value}
        case "toolUse":
            return {"type": "tool_use", "id": value["toolUseId"]}
        case "toolResult":
            content = [_from_converse(inner) for inner in value["content"]]
            assert content
            return {"type": "tool_result", "tool_use_id": value["toolUseId"], "content": content}
        case _:
            return {"type": kind}


def _bounds(value: Any, shape: Any) -> None:
    """Check patterns and enumerations of botocore's model, which its validator ignores."""
    if getattr(shape, "is_document_type", False):
        return
    limits = shape.metadata
    match shape.type_name:
        case "structure" | "map":
            for name, inner in value.items():
                _bounds(inner, shape.value if shape.type_name == "map" else shape.members[name])
        case "list":
            for inner in value:
                _bounds(inner, shape.member)
        case "string":
            assert re.fullmatch(limits.get("pattern", ".*"), value, re.DOTALL), (shape.name, value)
            assert limits.get("min", 0) <= len(value) <= limits.get("max", 1 << 30)
            assert not shape.enum or value in shape.enum
        case "float" | "integer":
            assert limits.get("min", value) <= value <= limits.get("max", value)


def gemini(body: Any) -> None:
    """Fail if the request does not fit google-genai's types and the documented rules."""
    known: dict[str, Any] = {
        "contents": list[google.Content],
        "systemInstruction": google.Content,
        "generationConfig": google.GenerationConfig,
        "tools": list[google.Tool],
        "toolConfig": google.ToolConfig,
    }
    for name, value in body.items():
        TypeAdapter(known[name]).validate_json(json.dumps(value))
    assert body["contents"]
    for turn in body["contents"]:
        assert turn["role"] in ("user", "model")
        assert turn["parts"]
        for part in turn["parts"]:
            data = [name for name in part if name not in ("thought", "thoughtSignature")]
            assert len(data) == 1, part
            assert part.get("text", "x").strip()
    conversation([_from_gemini(turn) for turn in body["contents"]], user_first=False)


def _from_gemini(turn: Any) -> tuple[str, list[Any]]:
    return turn["role"].replace("model", "assistant"), [_block(part) for part in turn["parts"]]


def _block(part: Any) -> Any:
    if call := part.get("functionCall"):
        return {"type": "tool_use", "id": call["id"]}
    if result := part.get("functionResponse"):
        return {"type": "tool_result", "tool_use_id": result["id"], "content": []}
    return {"type": "text", "text": part["text"]} if "text" in part else {"type": "data"}


def conversation(turns: Iterable[tuple[str, list[Any]]], *, user_first: bool = True) -> None:
    """Check rules of Anthropic's and Bedrock's documentation: roles, blanks, calls and results."""
    turns = list(turns)
    assert turns
    assert not user_first or turns[0][0] == "user"
    assert all(one[0] != other[0] for one, other in pairwise(turns))
    received: set[str] = set()
    owed: list[str] = []
    for role, content in turns:
        assert content
        _check_content(content)
        results = [b["tool_use_id"] for b in content if b["type"] == "tool_result"]
        assert results == owed, "each call has its result in the next turn, in order"
        assert [b["type"] for b in content[: len(results)]] == ["tool_result"] * len(results)
        owed = [block["id"] for block in content if block["type"] == "tool_use"]
        assert not owed or role == "assistant"
        assert len(set(owed)) == len(owed)
        assert not received & set(owed)
        received |= set(owed)
    assert not owed


def _check_content(content: Iterable[Any]) -> None:
    for block in content:
        if block["type"] == "text":
            assert block["text"].strip()
        if block["type"] == "tool_result" and isinstance(block.get("content"), list):
            _check_content(block["content"])
