"""Translate a Messages request to Gemini's native API.

https://ai.google.dev/api/generate-content
"""

from __future__ import annotations

from ...dialects import carry
from ...dialects.messages.request import NO_EFFECT
from ...dialects.protocol import JSON
from ..turns import conversation, non_blank
from .parts import contents

# fmt: off
_FIELDS = carry.Fields(
    carried=[
        "model", "max_tokens", "messages", "system", "stream", "stop_sequences", "temperature",
        "top_p", "top_k", "tools", "tool_choice", "metadata", "thinking", "output_config",
    ],
    no_effect=NO_EFFECT,
)
# fmt: on
_LIMITS = {
    "maxOutputTokens": "max_tokens",
    "temperature": "temperature",
    "topP": "top_p",
    "topK": "top_k",
    "stopSequences": "stop_sequences",
}
_LEVELS = {"low": "low", "medium": "medium", "high": "high", "xhigh": "high", "max": "high"}
_MODES = {"auto": "AUTO", "any": "ANY", "none": "NONE", "tool": "ANY"}


def request(body: JSON, model: str) -> JSON:
    """Return the body, translated and adjusted to Gemini's rules.

    Raises:
        ClientError: A field has no counterpart in Gemini's API; ``param`` names it.
    """
    _FIELDS.check(body)
    turns = conversation(body["messages"], for_google=True)
    found: JSON = {"contents": contents(turns, model), "generationConfig": _config(body)}
    if system := non_blank(body.get("system"), "system"):
        parts = [{"text": carry.text_of(part, at)} for at, part in system]
        found["systemInstruction"] = {"parts": parts}
    return {**found, **_tools(body)}


def _config(body: JSON) -> JSON:
    found = {ours: body[name] for ours, name in _LIMITS.items() if body.get(name) is not None}
    output = body.get("output_config") or {}
    carry.only(output, ("effort", "format"), "output_config")
    if form := output.get("format"):
        found["responseMimeType"] = "application/json"
        if form["type"] == "json_schema":
            found["responseJsonSchema"] = form["schema"]
    return {**found, "thinkingConfig": _thinking(body, output.get("effort"))}


def _thinking(body: JSON, effort: str | None) -> JSON:
    """Return a level or a budget: Google accepts one of them, but not both."""
    thinking = body.get("thinking") or {}
    if thinking.get("type") == "disabled":
        return {"thinkingBudget": 0}
    if effort:
        return {"includeThoughts": True, "thinkingLevel": _LEVELS.get(effort, "high")}
    budget = thinking.get("budget_tokens")
    return {"includeThoughts": True, **({"thinkingBudget": budget} if budget else {})}


def _tools(body: JSON) -> JSON:
    choice: JSON = body.get("tool_choice") or {"type": "auto"}
    if choice["type"] not in _MODES:
        raise carry.malformed("tool_choice.type", "auto, any, tool or none")
    if not body.get("tools"):
        if choice["type"] in ("any", "tool"):
            raise carry.refuse("tool_choice", "requires tools")
        return {}
    declared = [_declared(tool, f"tools[{number}]") for number, tool in enumerate(body["tools"])]
    mode: JSON = {"mode": _MODES[choice["type"]]}
    if choice["type"] == "tool":
        mode["allowedFunctionNames"] = [choice["name"]]
    tools = [{"functionDeclarations": declared}]
    return {"tools": tools, "toolConfig": {"functionCallingConfig": mode}}


def _declared(tool: JSON, at: str) -> JSON:
    if tool.get("type") not in (None, "custom"):
        raise carry.refuse(f"{at}.type")
    described = {"description": tool["description"]} if tool.get("description") else {}
    schema = {"type": "object", **tool["input_schema"]}
    return {"name": tool["name"], "parametersJsonSchema": schema, **described}
