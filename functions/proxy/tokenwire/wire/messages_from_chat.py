"""A Chat Completions request as one of Messages: for Anthropic."""

from __future__ import annotations

from typing import Any

import msgspec

from . import carry
from .protocol import JSON

MAX_TOKENS = 8192
"""What an answer may take if the caller does not say: the Messages API insists on a limit."""

# fmt: off
_FIELDS = frozenset([
    "model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens",
    "stop", "temperature", "top_p", "tools", "tool_choice", "parallel_tool_calls",
    "response_format", "reasoning_effort", "user", "safety_identifier", "metadata",
])
# fmt: on
# Values that ask for nothing.
_SILENT: JSON = {
    "n": (1,),
    "store": (False,),
    "logprobs": (False,),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "service_tier": ("auto", "default"),
    "modalities": (["text"],),
}
# The Messages API takes no turn without content.
_NOTHING = {"type": "text", "text": " "}
_EFFORTS = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh"}


def from_chat(body: JSON, model: str) -> JSON:
    """The body, translated, with the provider's own name for the model; streamed.

    Raises:
        ClientError: A field is malformed, or cannot be said in ``messages``; ``param`` names it.
    """
    carry.only(body, _FIELDS, silent=_SILENT)
    system, turns = _split(carry.a_list(body["messages"], "messages"))
    found: JSON = {
        "model": model,
        "max_tokens": body.get("max_completion_tokens") or body.get("max_tokens") or MAX_TOKENS,
        "messages": turns,
        "stream": True,
    }
    if system:
        found["system"] = system
    if user := body.get("safety_identifier") or body.get("user"):
        found["metadata"] = {"user_id": user}
    return {**found, **_sampling(body), **_tools(body), **_output(body)}


def _sampling(body: JSON) -> JSON:
    found: JSON = {}
    if (temperature := body.get("temperature")) is not None:
        if temperature > 1:
            raise carry.malformed("temperature", "between 0 and 1 for this model's provider")
        found["temperature"] = temperature
    if body.get("top_p") is not None:
        found["top_p"] = body["top_p"]
    if stop := body.get("stop"):
        found["stop_sequences"] = [stop] if isinstance(stop, str) else stop
    return found


def _split(messages: list[Any]) -> tuple[list[JSON], list[JSON]]:
    """The system prompt, and the turns. A system message among the turns stays there."""
    system: list[JSON] = []
    turns: list[JSON] = []
    for number, message in enumerate(messages):
        at, role = f"messages[{number}]", message["role"]
        if role in ("system", "developer"):
            said = _user(message, at)
            turns += [{"role": "system", "content": said}] if turns else []
            system += [] if turns else said
        elif role == "tool":
            _add_result(turns, _result(message, at))
        elif role == "function":
            raise carry.refuse(f"{at}.role")
        else:
            said = _assistant(message, at) if role == "assistant" else _user(message, at)
            turns.append({"role": role, "content": said or [_NOTHING]})
    return system, turns


def _add_result(turns: list[JSON], result: JSON) -> None:
    """The results of parallel calls belong into one turn."""
    last = turns[-1] if turns else {}
    if last.get("role") == "user" and last["content"][-1]["type"] == "tool_result":
        last["content"].append(result)
    else:
        turns.append({"role": "user", "content": [result]})


def _user(message: JSON, at: str) -> list[JSON]:
    return [
        _part(part, where) for where, part in carry.parts(message.get("content"), f"{at}.content")
    ]


def _assistant(message: JSON, at: str) -> list[JSON]:
    said = [
        _part({"type": "text", "text": part["refusal"]} if "refusal" in part else part, where)
        for where, part in carry.parts(
            message.get("content") or message.get("refusal"), f"{at}.content"
        )
    ]
    if message.get("function_call"):
        raise carry.refuse(f"{at}.function_call")
    for number, call in enumerate(message.get("tool_calls") or ()):
        said.append(_call(carry.an_object(call, at), f"{at}.tool_calls[{number}]"))
    return said


def _call(call: JSON, at: str) -> JSON:
    function = carry.an_object(call.get("function"), f"{at}.function")
    try:
        arguments = msgspec.json.decode(function.get("arguments") or "{}", type=dict)
    except msgspec.MsgspecError:
        raise carry.malformed(f"{at}.function.arguments", "an object in JSON") from None
    return {
        "type": "tool_use",
        "id": call.get("id"),
        "name": function.get("name"),
        "input": arguments,
    }


def _result(message: JSON, at: str) -> JSON:
    content = _user(message, at)
    call = carry.a_text(message.get("tool_call_id"), f"{at}.tool_call_id")
    return {"type": "tool_result", "tool_use_id": call, "content": content}


def _part(part: JSON, at: str) -> JSON:
    match part.get("type"):
        case "text":
            return {"type": "text", "text": carry.a_text(part.get("text"), f"{at}.text")}
        case "image_url":
            return {"type": "image", "source": _image(part, at)}
        case "file":
            return _file(carry.an_object(part.get("file"), f"{at}.file"), f"{at}.file")
        case _:
            raise carry.refuse(f"{at}.type")


def _image(part: JSON, at: str) -> JSON:
    where = f"{at}.image_url.url"
    url = carry.a_text(carry.an_object(part.get("image_url"), f"{at}.image_url").get("url"), where)
    if found := carry.data_url(url):
        return {"type": "base64", "media_type": found[0], "data": found[1]}
    return {"type": "url", "url": carry.web_url(url, where)}


def _file(file: JSON, at: str) -> JSON:
    if not file.get("file_data"):
        raise carry.refuse(f"{at}.file_id", "names a file that this model's provider does not have")
    found = carry.data_url(carry.a_text(file["file_data"], f"{at}.file_data"))
    if found is None or found[0] != "application/pdf":
        raise carry.malformed(f"{at}.file_data", "a data URL of a PDF")
    source = {"type": "base64", "media_type": found[0], "data": found[1]}
    title = {"title": file["filename"]} if file.get("filename") else {}
    return {"type": "document", "source": source, **title}


def _tools(body: JSON) -> JSON:
    found: JSON = {}
    for number, tool in enumerate(body.get("tools") or ()):
        found.setdefault("tools", []).append(
            _tool(carry.an_object(tool, f"tools[{number}]"), number)
        )
    alone = body.get("parallel_tool_calls") is False
    choice = _choice(body.get("tool_choice"))
    if choice or (alone and found):
        choice = choice or {"type": "auto"}
        wants = choice["type"] != "none" and alone
        found["tool_choice"] = choice | ({"disable_parallel_tool_use": True} if wants else {})
    return found


def _tool(tool: JSON, number: int) -> JSON:
    if tool.get("type") != "function":
        raise carry.refuse(f"tools[{number}].type")
    function = carry.an_object(tool.get("function"), f"tools[{number}].function")
    found = {"name": function.get("name"), "input_schema": function.get("parameters")}
    found["input_schema"] = found["input_schema"] or {"type": "object", "properties": {}}
    return found | {
        k: function[k] for k in ("description", "strict") if function.get(k) is not None
    }


def _choice(choice: object) -> JSON:
    match choice:
        case None:
            return {}
        case "auto" | "none":
            return {"type": choice}
        case "required":
            return {"type": "any"}
        case {"type": "function", "function": {"name": str(name)}}:
            return {"type": "tool", "name": name}
        case _:
            raise carry.refuse("tool_choice")


def _output(body: JSON) -> JSON:
    config: JSON = {}
    thinking: JSON = {}
    effort = body.get("reasoning_effort")
    if effort == "none":
        thinking = {"thinking": {"type": "disabled"}}
    elif effort is not None:
        if effort not in _EFFORTS:
            raise carry.malformed("reasoning_effort", f"none, {', '.join(_EFFORTS)}")
        config["effort"] = _EFFORTS[effort]
    match body.get("response_format"):
        case None | {"type": "text"}:
            pass
        case {"type": "json_schema", "json_schema": {"schema": dict(schema)}}:
            config["format"] = {"type": "json_schema", "schema": schema}
        case _:
            raise carry.refuse("response_format")
    return {**thinking, **({"output_config": config} if config else {})}
