"""The script of an answer: from instructions in the prompt, and options of the request."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, replace
from typing import Any

from ...dialects.protocol import JSON, ParsedRequest
from ...errors import UpstreamError
from . import answers
from .calls import Call, choose
from .instance import instance
from .options import Options, read

_INSTRUCTION = re.compile(r"(?<!\S)/([a-z]+)(?:[ ]+(\d{1,5}|before))?")
_THOUGHT = "The question is short, so the answer should be too. "
_SCHEMA = "response_format.json_schema.schema"


@dataclass(frozen=True, slots=True)
class Script:
    """One answer: what it consists of, and how to misbehave. Times are in seconds.

    Args:
        text: The answer in words, or in JSON.
        pace: Tokens a second.
        options: The form of the answer that the request requires.
        calls: Takes the place of the text.
        prompt_tokens: The size of the request.
    """

    text: str
    pace: float
    options: Options
    calls: tuple[Call, ...] = ()
    prompt_tokens: int = 1
    wait: float = 0.0
    stall: float = 0.0
    reasoning: str = ""
    tool: bool = False
    refuse: bool = False
    fail: str = ""
    drop: bool = False
    odd: bool = False


# model name: what it changes in the script.
MOODS: dict[str, dict[str, Any]] = {
    "markdown": {},
    "fast": {"pace": 400.0},
    "slow": {"pace": 6.0},
    "reason": {"reasoning": _THOUGHT},
    "tool": {"tool": True},
}


def write(request: ParsedRequest, model: str, pace: float) -> Script:
    """The script for a request.

    Raises:
        UpstreamError: There is no such model (``model_not_found``).
        ClientError: The request requires something that the demo model cannot do.
    """
    if model not in MOODS:
        raise UpstreamError(
            f"The demo provider has {', '.join(MOODS)}.",
            code="model_not_found",
            status=404,
            param="model",
        )
    options, messages = read(request.body), request.body["messages"]
    prompt = _prompt(messages)
    script = replace(
        Script(answers.answer(prompt, _system(messages)), pace, options), **MOODS[model]
    )
    for name, argument in _INSTRUCTION.findall(prompt):
        script = replace(script, **_changes(name, argument))
    script = _in_form(script, prompt, has_result=messages[-1].get("role") == "tool")
    return replace(script, prompt_tokens=_size(messages))


def _changes(name: str, argument: str) -> dict[str, Any]:
    number = float(argument) if argument.isdigit() else 0.0
    table: dict[str, dict[str, Any]] = {
        "slow": {"pace": 6.0},
        "fast": {"pace": 400.0},
        "wait": {"wait": number or 5.0},
        "stall": {"stall": number or 20.0},
        "long": {"text": answers.filler(int(number) or 400)},
        "reason": MOODS["reason"],
        "tool": {"tool": True},
        "refuse": {"refuse": True, "text": "I must decline, as you instructed me to."},
        "fail": {"fail": "before" if argument == "before" else "inside"},
        "drop": {"drop": True},
        "odd": {"odd": True},
    }
    return table.get(name, {})


def _in_form(script: Script, prompt: str, *, has_result: bool) -> Script:
    """The script, in the form that the request wants."""
    options = script.options
    if has_result:
        script = replace(script, tool=False, text=answers.AFTER_TOOL)
    if options.thinks is not None:
        script = replace(script, reasoning=_THOUGHT if options.thinks else "")
    calls = choose(options, prompt, wants=script.tool, has_result=has_result)
    text = script.text if calls or script.refuse else _formed(script.text, options)
    return replace(script, calls=calls, text=text)


def _formed(text: str, options: Options) -> str:
    form = options.response_format
    if form is None or form.type == "text":
        return text
    if form.type == "json_object":
        return json.dumps({"answer": text.split("\n", 1)[0]}, ensure_ascii=False)
    schema = form.json_schema.schema if form.json_schema else None
    return json.dumps(instance(schema or {"type": "object"}, _SCHEMA), ensure_ascii=False)


def _texts(message: JSON) -> list[str]:
    content = message.get("content")
    if isinstance(content, list):
        return [str(part.get("text", "")) for part in content if isinstance(part, dict)]
    return [content] if isinstance(content, str) else []


def _prompt(messages: list[JSON]) -> str:
    users = [message for message in messages if message.get("role") == "user"]
    return " ".join(_texts(users[-1])) if users else ""


def _system(messages: list[JSON]) -> str:
    roles = ("system", "developer")
    return " ".join(text for m in messages if m.get("role") in roles for text in _texts(m))


def _size(messages: list[JSON]) -> int:
    """Tokens, at four characters each."""
    return max(1, sum(len(text) for message in messages for text in _texts(message)) // 4)
