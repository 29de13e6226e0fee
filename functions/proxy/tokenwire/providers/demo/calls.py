"""Which tools the demo model calls, and with what."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

from ...errors import ClientError
from ...wire.protocol import JSON
from .instance import instance
from .options import Options, Tool, refusal

_WORD = re.compile(r"[A-Za-z]{3,}")
# In the name of a tool they do not tell it from others.
_COMMON = frozenset(("get", "set", "the", "and", "for", "run", "call", "tool"))
_MAX_CALLS = 8


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a tool: its name, and its arguments as JSON."""

    name: str
    arguments: str


WEATHER = Call("get_weather", '{"city": "Bielefeld"}')
"""What is called where the request has no tools."""


def choose(options: Options, prompt: str, *, wants: bool) -> tuple[Call, ...]:
    """The calls that the answer consists of; none for an answer in words.

    Args:
        options: The request's.
        prompt: The last user message: tools that it mentions by a word of their name come first.
        wants: Whether the demo model would call a tool of its own accord.

    Raises:
        ClientError: ``tool_choice`` wants a tool that is not there; or a schema cannot be
            satisfied.
    """
    tools = options.tools or []
    match options.tool_choice:
        case "none":
            return ()
        case None | "auto":
            if not wants:
                return ()
        case "required":
            pass
        case choice:
            return (_call(*_named(tools, choice)),)
    if not tools and options.tool_choice == "required":
        raise ClientError(
            "tool_choice is required, but there are no tools.",
            code="invalid_value",
            param="tool_choice",
        )
    if not tools:
        return (WEATHER,)
    found = _mentioned(tools, prompt) or [(0, tools[0])]
    most = 1 if options.parallel_tool_calls is False else _MAX_CALLS
    return tuple(_call(at, tool) for at, tool in found[:most])


def _named(tools: list[Tool], choice: Any) -> tuple[int, Tool]:
    match choice:
        case {"type": "function", "function": {"name": str(name)}}:
            pass
        case _:
            raise refusal("tool_choice")
    for found in enumerate(tools):
        if found[1].function.name == name:
            return found
    raise ClientError(
        "tool_choice names a tool that is not in tools.", code="invalid_value", param="tool_choice"
    )


def _mentioned(tools: list[Tool], prompt: str) -> list[tuple[int, Tool]]:
    words = {word.lower() for word in _WORD.findall(prompt)} - _COMMON
    return [
        (at, tool)
        for at, tool in enumerate(tools)
        if words & {word.lower() for word in _WORD.findall(tool.function.name.replace("_", " "))}
    ]


def _call(at: int, tool: Tool) -> Call:
    schema: JSON = tool.function.parameters or {"type": "object"}
    found = instance({"type": "object", **schema}, f"tools[{at}].function.parameters")
    return Call(tool.function.name, json.dumps(found, ensure_ascii=False))
