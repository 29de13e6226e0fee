"""The tools of a Responses request, as those of Chat Completions.

A tool of a namespace becomes a function whose name begins with the namespace's, and a custom tool,
which takes free text, a function with one string. ``renamed`` says which, so that the answer can
name them as the request does.
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
"""Characters of a function's name, at OpenAI."""
MOST = 1024
"""Tools of a request that may be renamed: their names are kept with the stream."""
LETTERS = 64 * 1024
"""Characters that their names may have together."""
# Offers beside the caller's own tools: who makes them can do without. Alone, or as the choice of
# the request, they are what it is about, and then they are refused.
_OFFERS = frozenset({"web_search", "web_search_preview", "tool_search"})
_INPUT = {
    "type": "object",
    "properties": {"input": {"type": "string"}},
    "required": ["input"],
    "additionalProperties": False,
}


def tools(body: JSON) -> JSON:
    """``tools`` and ``tool_choice``, as far as there are any.

    Raises:
        ClientError: A tool is one that OpenAI itself runs; ``param`` names it.
    """
    found: JSON = {}
    declared = body.get("tools") or []
    has_own = any(tool["type"] not in _OFFERS for tool in declared)
    for number, tool in enumerate(declared):
        if not (has_own and tool["type"] in _OFFERS):
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
    """The tool's description, with the form that its text has."""
    said = [tool.get("description") or ""]
    form = tool.get("format") or {}
    if form.get("type") == "grammar":
        said.append(
            f"The input follows this {form.get('syntax')} grammar:\n{form.get('definition')}"
        )
    return "\n\n".join(filter(None, said))


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
    """The name of the function that stands for a tool: short enough, and always the same."""
    if not namespace:
        return name
    full = f"{namespace}__{name}"
    if len(full) <= _LONGEST:
        return full
    return f"{full[: _LONGEST - 9]}_{sha256(full.encode()).hexdigest()[:8]}"


def custom_arguments(text: str) -> str:
    """The arguments of the function that stands for a custom tool."""
    return msgspec.json.encode({"input": text}).decode()


def renamed(body: JSON) -> tuple[ToolName, ...]:
    """The tools whose functions have another name, or another kind.

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
