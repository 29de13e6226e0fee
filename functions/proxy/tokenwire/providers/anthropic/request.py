"""A Messages request that was translated from another dialect, as Anthropic takes it.

A caller's own Messages request goes to Anthropic untouched.
"""

from __future__ import annotations

from ...dialects import carry
from ...dialects.protocol import JSON
from .. import claude
from ..turns import Located, Turn, called, conversation, non_blank, user_first

_AS_IS = ("model", "max_tokens", "stream", "metadata", "output_config")


def request(body: JSON, model: str) -> JSON:
    """The body, made legal.

    Raises:
        ClientError: It cannot be, without a change of its meaning; ``param`` names the field.
    """
    turns = conversation(body["messages"])
    user_first(turns)
    found = carry.set_of(body, _AS_IS) | claude.sampling(body, model)
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
    """The turns; an answer that the caller has begun may not end in blanks."""
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
            raise carry.refuse(f"stop_sequences[{number}]", "may not be blank")
    return {"stop_sequences": stops} if stops else {}


def _tools(body: JSON, turns: list[Turn]) -> JSON:
    """The tools, and the choice; for calls of earlier turns alone, tools that may not be called."""
    choice: JSON = body.get("tool_choice") or {}
    if tools := body.get("tools"):
        found: JSON = {"tools": [_tool(tool) for tool in tools]}
        return found | ({"tool_choice": choice} if choice else {})
    if choice.get("type") in ("any", "tool"):
        raise carry.refuse("tool_choice", "needs tools")
    names = called(turns)
    schema = {"type": "object"}
    stubs = [{"name": name, "input_schema": schema} for name in names]
    return {"tools": stubs, "tool_choice": {"type": "none"}} if stubs else {}


def _tool(tool: JSON) -> JSON:
    return {**tool, "input_schema": {"type": "object", **tool["input_schema"]}}
