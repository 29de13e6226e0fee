"""The tools of a Responses request, as those of Chat Completions."""

from __future__ import annotations

from . import carry
from .origins import made
from .protocol import JSON


def tools(body: JSON) -> JSON:
    """``tools`` and ``tool_choice``, as far as there are any.

    Raises:
        ClientError: A tool is one that OpenAI itself runs; ``param`` names it.
    """
    found: JSON = {}
    for number, tool in enumerate(body.get("tools") or ()):
        at = f"tools[{number}]"
        if tool["type"] != "function":
            raise carry.refuse(f"{at}.type", "is a tool that only OpenAI runs")
        function = carry.set_of(tool, ("name", "description", "parameters", "strict"))
        found.setdefault("tools", []).append(made(at, {"type": "function", "function": function}))
    choice = body.get("tool_choice")
    if isinstance(choice, dict) and choice["type"] == "function":
        function = {"name": choice["name"]}
        found["tool_choice"] = {"type": "function", "function": function}
    elif choice in ("auto", "none", "required"):
        found["tool_choice"] = choice
    elif choice is not None:
        raise carry.refuse("tool_choice")
    return found
