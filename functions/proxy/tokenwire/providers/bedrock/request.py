"""Translate a Messages request to Bedrock's Converse API.

https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html
"""

from __future__ import annotations

import re
from hashlib import sha256

import msgspec

from ...dialects import carry
from ...dialects.messages.request import NO_EFFECT
from ...dialects.protocol import JSON
from .. import claude
from ..turns import Turn, called, conversation, non_blank, user_first
from .blocks import Blocks

# fmt: off
_FIELDS = carry.Fields(
    carried=[
        "model", "max_tokens", "messages", "system", "stream", "stop_sequences", "temperature",
        "top_p", "tools", "tool_choice", "metadata", "top_k", "thinking", "output_config",
    ],
    no_effect=NO_EFFECT,
)
# fmt: on
_LABEL = re.compile(r"[a-zA-Z0-9\s:_@$#=/+,.-]{1,256}", re.ASCII)
_UNAVAILABLE = "Called earlier in this conversation. It is not available any more."


def request(body: JSON, model: str) -> JSON:
    """Return the body, translated and adjusted to the rules of Converse.

    Raises:
        ClientError: A field has no counterpart in Converse; ``param`` names it.
    """
    _FIELDS.check(body)
    turns = conversation(body["messages"])
    user_first(turns)
    blocks = Blocks()
    found: JSON = {
        "messages": [_turn(turn, blocks) for turn in turns],
        "inferenceConfig": _limits(body, model),
        **_tools(body, turns),
        **_model_fields(body, model),
        **_output(body, model),
    }
    if system := non_blank(body.get("system"), "system"):
        found["system"] = [{"text": carry.text_of(part, at)} for at, part in system]
    if user := (body.get("metadata") or {}).get("user_id"):
        found["requestMetadata"] = {"user_id": _label(user)}
    return found


def _turn(turn: Turn, blocks: Blocks) -> JSON:
    if turn.role == "system":
        raise carry.refuse(f"{turn.at}.role")
    content = [blocks.block(part, at) for at, part in turn.blocks]
    if (documents := turn.of("document")) and not turn.of("text"):
        raise carry.refuse(documents[0][0], "must be accompanied by text for this model's provider")
    return {"role": turn.role, "content": content}


def _limits(body: JSON, model: str) -> JSON:
    found = {"maxTokens": body["max_tokens"]}
    names = {"temperature": "temperature", "top_p": "topP"}
    for name, value in claude.sampling(body, model).items():
        if name in names:
            found[names[name]] = value
    if stops := [stop for stop in body.get("stop_sequences") or () if stop]:
        found["stopSequences"] = stops
    return found


def _model_fields(body: JSON, model: str) -> JSON:
    """Return the fields that only Anthropic's models have, which Converse forwards to them."""
    found = {name: value for name, value in claude.sampling(body, model).items() if name == "top_k"}
    if thinking := claude.thinking(body, model):
        found["thinking"] = thinking
    if found and "anthropic" not in model:
        raise carry.refuse(next(iter(found)))
    return {"additionalModelRequestFields": found} if found else {}


def _output(body: JSON, model: str) -> JSON:
    config = body.get("output_config") or {}
    carry.only(config, ("effort", "format"), "output_config")
    found: JSON = {}
    if effort := config.get("effort"):
        if "anthropic" not in model:
            raise carry.refuse("output_config.effort")
        found["effort"] = effort
    if form := config.get("format"):
        if form["type"] != "json_schema":
            raise carry.refuse("output_config.format")
        schema = {"schema": msgspec.json.encode(form["schema"]).decode()}
        found["textFormat"] = {"type": "json_schema", "structure": {"jsonSchema": schema}}
    return {"outputConfig": found} if found else {}


def _label(user: str) -> str:
    """Return the user's id, or its hash if Bedrock does not accept the id."""
    if _LABEL.fullmatch(user):
        return user
    return sha256(user.encode("utf-8", "surrogatepass")).hexdigest()


def _tools(body: JSON, turns: list[Turn]) -> JSON:
    """Return the tools and the choice.

    Converse has no choice "none", and refuses earlier calls if no tools are declared. In these
    cases the called tools are declared as unavailable.
    """
    choice: JSON = body.get("tool_choice") or {"type": "auto"}
    kind = choice["type"]
    if not body.get("tools") and kind in ("any", "tool"):
        raise carry.refuse("tool_choice", "requires tools")
    if not body.get("tools") or kind == "none":
        gone = {"description": _UNAVAILABLE, "inputSchema": {"json": {"type": "object"}}}
        stubs = [{"toolSpec": {"name": name, **gone}} for name in called(turns)]
        return {"toolConfig": {"tools": stubs}} if stubs else {}
    tools = [_tool(tool, f"tools[{number}]") for number, tool in enumerate(body["tools"])]
    wanted: JSON = {"name": choice["name"]} if kind == "tool" else {}
    if kind not in ("auto", "any", "tool"):
        raise carry.refuse("tool_choice.type")
    return {"toolConfig": {"tools": tools, "toolChoice": {kind: wanted}}}


def _tool(tool: JSON, at: str) -> JSON:
    if tool.get("type") not in (None, "custom"):
        raise carry.refuse(f"{at}.type")
    schema = {"type": "object", **tool["input_schema"]}
    spec: JSON = {"name": tool["name"], "inputSchema": {"json": schema}}
    if (tool.get("description") or "").strip():
        spec["description"] = tool["description"]
    return {"toolSpec": spec | carry.set_of(tool, ("strict",))}
