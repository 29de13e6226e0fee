"""Which tools the demo model calls, and with what."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from ...dialects.protocol import JSON
from ...errors import ClientError
from .instance import instance
from .options import Options, Tool, refusal

_WORD = re.compile(r"[A-Za-z]{3,}")
# In the name of a tool they do not tell it from others.
_COMMON = frozenset(("get", "set", "the", "and", "for", "run", "call", "tool", "current"))
_MAX_CALLS = 8
_Place: TypeAlias = tuple[int, Tool]


@dataclass(frozen=True, slots=True)
class Call:
    """A call of a tool: its name, and its arguments as JSON."""

    name: str
    arguments: str


WEATHER = Call("get_weather", '{"city": "Bielefeld"}')
"""What is called where the request has no tools."""


def choose(options: Options, prompt: str, *, wants: bool, has_result: bool) -> tuple[Call, ...]:
    """The calls that the answer consists of; none for an answer in words.

    Args:
        options: The request's.
        prompt: The last user message.
        wants: Whether a tool is called, where the choice is free.
        has_result: Whether a tool has just answered. If not, tools that the prompt names are
            called even so.

    Raises:
        ClientError: ``tool_choice`` wants a tool that is not there; or a schema cannot be
            satisfied.
    """
    tools = options.tools or []
    most = 1 if options.parallel_tool_calls is False else _MAX_CALLS
    match options.tool_choice:
        case "none":
            return ()
        case None | "auto" if not wants:
            return () if has_result else _free(_named_in(prompt, tools, all)[:most])
        case None | "auto" if not tools:
            return (WEATHER,)
        case None | "auto" | "required":
            found = _named_in(prompt, tools, any)[:most] or _first(tools)
        case choice:
            found = [_chosen(tools, choice)]
    return tuple(_call(at, tool) for at, tool in found)


def _free(found: list[_Place]) -> tuple[Call, ...]:
    """Optional calls: without those whose schema is too complex for the demo model."""
    try:
        return tuple(_call(at, tool) for at, tool in found)
    except ClientError:
        return ()


def _first(tools: list[Tool]) -> list[_Place]:
    if not tools:
        raise ClientError(
            "tool_choice is required, but there are no tools.",
            code="invalid_value",
            param="tool_choice",
        )
    return [(0, tools[0])]


def _chosen(tools: list[Tool], choice: Any) -> _Place:
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


def _named_in(
    prompt: str, tools: list[Tool], enough: Callable[[Iterable[bool]], bool]
) -> list[_Place]:
    """The tools of whose name the prompt has enough words: any of them, or all."""
    words = {word.lower() for word in _WORD.findall(prompt)}
    return [
        (at, tool)
        for at, tool in enumerate(tools)
        if (name := _words(tool.function.name)) and enough(word in words for word in name)
    ]


def _words(name: str) -> set[str]:
    return {word.lower() for word in _WORD.findall(name.replace("_", " "))} - _COMMON


def _call(at: int, tool: Tool) -> Call:
    schema: JSON = tool.function.parameters or {"type": "object"}
    found = instance({"type": "object", **schema}, f"tools[{at}].function.parameters")
    return Call(tool.function.name, json.dumps(found, ensure_ascii=False))
