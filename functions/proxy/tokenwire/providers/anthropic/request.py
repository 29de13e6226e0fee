"""Adjust a translated Messages request to the rules of Anthropic's API.

A caller's own Messages request is sent to Anthropic unchanged.
"""

from __future__ import annotations

from ...dialects import carry
from ...dialects.protocol import JSON
from .. import claude
from ..turns import Located, Turn, called, conversation, non_blank, user_first

_COPIED = ("model", "max_tokens", "stream", "metadata", "output_config")


def request(body: JSON, model: str) -> JSON:
    """Return the body in a form that Anthropic accepts.

    Raises:
        ClientError: The body cannot be adjusted without changing its meaning; ``param`` names
            the field.
    """
    turns = conversation(body["messages"])
    user_first(turns)
    found = carry.set_of(body, _COPIED) | claude.sampling(body, model)
    found["messages"] = [_message(turn) for turn in _finished(turns, model)]
    if system := non_blank(body.get("system"), "system"):
        found["system"] = [block for _, block in system]
    if thinking := claude.thinking(body, model):
        found["thinking"] = thinking
    if ((body.get("output_config") or {}).get("format") or {}).get("type") == "json_object":
        raise carry.refuse("output_config.format")
    return {**found, **_stops(body), **_tools(body, turns)}


def _message(turn: Turn) -> JSON:
    return {"role": turn.role, "content": [_block(located) for located in turn.blocks]}


def _block(located: Located) -> JSON:
    at, block = located
    if block["type"] != "tool_result":
        return dict(block)
    content = [_block(inner) for inner in non_blank(block.get("content"), f"{at}.content")]
    rest = {name: value for name, value in block.items() if name != "content"}
    return rest | ({"content": content} if content else {})


def _finished(turns: list[Turn], model: str) -> list[Turn]:
    """Return the turns. A trailing assistant turn (prefill) must not end in white space."""
    *rest, last = turns
    if last.role != "assistant":
        return turns
    if not claude.takes_prefill(model):
        raise carry.refuse(f"{last.at}.role", "must be user in the last turn for this model")
    at, block = last.blocks[-1]
    if block["type"] == "text":
        block = {**block, "text": block["text"].rstrip()}
    return [*rest, Turn(last.role, last.at, [*last.blocks[:-1], (at, block)])]


def _stops(body: JSON) -> JSON:
    stops = body.get("stop_sequences") or []
    for number, stop in enumerate(stops):
        if not stop.strip():
            raise carry.refuse(f"stop_sequences[{number}]", "must not be blank")
    return {"stop_sequences": stops} if stops else {}


def _tools(body: JSON, turns: list[Turn]) -> JSON:
    """Return the tools and the choice.

    If only earlier turns have calls, the called tools are declared and calls are forbidden.
    """
    choice: JSON = body.get("tool_choice") or {}
    if tools := body.get("tools"):
        found: JSON = {"tools": [_tool(tool) for tool in tools]}
        return found | ({"tool_choice": choice} if choice else {})
    if choice.get("type") in ("any", "tool"):
        raise carry.refuse("tool_choice", "requires tools")
    names = called(turns)
    schema = {"type": "object"}
    stubs = [{"name": name, "input_schema": schema} for name in names]
    return {"tools": stubs, "tool_choice": {"type": "none"}} if stubs else {}


def _tool(tool: JSON) -> JSON:
    return {**tool, "input_schema": {"type": "object", **tool["input_schema"]}}
