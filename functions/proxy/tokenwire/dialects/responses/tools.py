"""Translate the tools of a Responses request to Chat Completions.

A tool in a namespace becomes a function with the namespace as its prefix. A custom tool, which
takes free text, becomes a function with one string parameter. ``renamed`` lists these, so that
the answer can use the names of the request.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

import msgspec

from ...events import ToolName
from .. import carry
from ..origins import made
from ..protocol import JSON

_LONGEST = 64
"""Maximum length of a function's name at OpenAI, in characters."""
MOST = 1024
"""Maximum number of renamed tools in a request: their names are stored with the stream."""
LETTERS = 64 * 1024
"""Maximum total length of their names, in characters."""
# Tools run by OpenAI that are ignored beside the caller's own tools, since the request works
# without them. As the only tools, or as the tool choice, they are refused.
_IGNORED = frozenset({"web_search", "web_search_preview", "tool_search"})
_INPUT = {
    "type": "object",
    "properties": {"input": {"type": "string"}},
    "required": ["input"],
    "additionalProperties": False,
}


def tools(body: JSON) -> JSON:
    """Return ``tools`` and ``tool_choice``, if present.

    Raises:
        ClientError: A tool is run by OpenAI itself; ``param`` names it.
    """
    found: JSON = {}
    declared = body.get("tools") or []
    has_own = any(tool["type"] not in _IGNORED for tool in declared)
    for number, tool in enumerate(declared):
        if not (has_own and tool["type"] in _IGNORED):
            found.setdefault("tools", []).extend(_functions(tool, f"tools[{number}]"))
    return found | _choice(body.get("tool_choice"))


def _functions(tool: JSON, at: str, namespace: str = "") -> Iterator[JSON]:
    match tool["type"]:
        case "function":
            kept = carry.set_of(tool, ("description", "parameters", "strict"))
        case "custom":
            kept = {"description": _description(tool), "parameters": _INPUT}
        case "namespace" if not namespace:
            for number, inner in enumerate(tool["tools"]):
                yield from _functions(inner, f"{at}.tools[{number}]", tool["name"])
            return
        case _:
            raise carry.refuse(f"{at}.type", "is a tool that only OpenAI runs")
    function = {"name": function_name(tool["name"], namespace), **kept}
    yield made(at, {"type": "function", "function": function})


def _description(tool: JSON) -> str:
    """Return the tool's description, with the format of its text."""
    texts = [tool.get("description") or ""]
    form = tool.get("format") or {}
    if form.get("type") == "grammar":
        texts.append(
            f"The input follows this {form.get('syntax')} grammar:\n{form.get('definition')}"
        )
    return "\n\n".join(filter(None, texts))


def _choice(choice: object) -> JSON:
    match choice:
        case None:
            return {}
        case "auto" | "none" | "required":
            return {"tool_choice": choice}
        case {"type": "function" | "custom", "name": str(name)}:
            return {"tool_choice": {"type": "function", "function": {"name": name}}}
        case _:
            raise carry.refuse("tool_choice")


def function_name(name: str, namespace: str | None) -> str:
    """Return the name of the function for a tool: at most 64 characters, and deterministic."""
    if not namespace:
        return name
    full = f"{namespace}__{name}"
    if len(full) <= _LONGEST:
        return full
    return f"{full[: _LONGEST - 9]}_{sha256(full.encode()).hexdigest()[:8]}"


def custom_arguments(text: str) -> str:
    """Return the arguments of the function for a custom tool."""
    return msgspec.json.encode({"input": text}).decode()


def renamed(body: JSON) -> tuple[ToolName, ...]:
    """Return the tools whose functions have another name or another type.

    Raises:
        ClientError: There are more than 1024, or their names are too long.
    """
    found = tuple(_renamed(body.get("tools") or [], ""))
    if len(found) > MOST:
        raise carry.refuse("tools", f"may have at most {MOST} custom tools and tools in namespaces")
    if sum(len(tool.name) + len(tool.namespace) for tool in found) > LETTERS:
        raise carry.refuse("tools", f"may have names of {LETTERS} characters at most")
    return found


def _renamed(declared: list[JSON], namespace: str) -> Iterator[ToolName]:
    for tool in declared:
        is_custom = tool["type"] == "custom"
        if tool["type"] == "namespace" and not namespace:
            yield from _renamed(tool["tools"], tool["name"])
        elif is_custom or (namespace and tool["type"] == "function"):
            name = tool["name"]
            yield ToolName(function_name(name, namespace), name, namespace, is_custom)
