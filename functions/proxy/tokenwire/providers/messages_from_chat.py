"""Translate a Chat Completions request to Messages, for providers that do not speak ``chat``.

The body has been validated against ``chat.schema`` or comes from a ``to_chat``; any remaining error
is a field without a counterpart. Objects are created with ``made``, so that the next translation
can report the caller's fields.
"""

from __future__ import annotations

from typing import Any

from ..dialects import carry, signatures
from ..dialects.depth import parsed
from ..dialects.origins import made
from ..dialects.protocol import JSON

MAX_TOKENS = 8192
"""Default limit of output tokens: the Messages API requires one."""

NO_EFFECT = (
    "metadata",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "service_tier",
    "store",
    # Only makes a predicted answer faster.
    "prediction",
    # A style preference that the Agents SDKs always send; the answer is correct without it.
    "verbosity",
)
"""Fields that do not change the answer, or only its style; ignored whatever their value."""

# fmt: off
_FIELDS = frozenset([
    "model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens",
    "stop", "temperature", "top_p", "tools", "tool_choice", "parallel_tool_calls",
    "response_format", "reasoning_effort", "user", "safety_identifier", *NO_EFFECT,
])
# fmt: on
# Default values, which are ignored.
_SILENT: JSON = {
    "n": (1,),
    "logprobs": (False,),
    "presence_penalty": (0,),
    "frequency_penalty": (0,),
    "modalities": (["text"],),
}
_ORIGINS = {
    "metadata": "user",
    "stop_sequences": "stop",
    "thinking": "reasoning_effort",
    "tool_choice": "tool_choice",
}
_EFFORTS = {"minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "xhigh"}


def from_chat(body: JSON, model: str) -> JSON:
    """Return the body, translated, for a streamed answer.

    Args:
        body: A ``chat`` request.
        model: The provider's name of the model.

    Raises:
        ClientError: A field is malformed or has no counterpart in ``messages``; ``param`` names it.
    """
    carry.only(body, _FIELDS, silent=_SILENT)
    system, turns = _split(body["messages"])
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
    found |= {**_sampling(body), **_tools(body), **_output(body)}
    return made("", found, **_ORIGINS)


def _sampling(body: JSON) -> JSON:
    found = carry.set_of(body, ("temperature", "top_p"))
    if stop := body.get("stop"):
        found["stop_sequences"] = [stop] if isinstance(stop, str) else stop
    return found


def _split(messages: list[Any]) -> tuple[list[JSON], list[JSON]]:
    """Return the system prompt and the turns. A later system message stays among the turns."""
    system: list[JSON] = []
    turns: list[JSON] = []
    for number, message in enumerate(messages):
        at, role = f"messages[{number}]", message["role"]
        if role in ("system", "developer"):
            content = [_texts(part, where) for where, part in _located(message, at)]
            turns += [_turn(at, "system", content)] if turns else []
            system += [] if turns else content
        elif role == "tool":
            _add_result(turns, _result(message, at), at)
        elif role == "function":
            raise carry.refuse(f"{at}.role")
        else:
            content = _assistant(message, at) if role == "assistant" else _user(message, at)
            turns.append(_turn(at, role, content))
    return system, turns


def _add_result(turns: list[JSON], result: JSON, at: str) -> None:
    """Add a tool result. The results of parallel calls form one turn."""
    last = turns[-1]["content"] if turns and turns[-1]["role"] == "user" else []
    if last and last[-1]["type"] == "tool_result":
        last.append(result)
    else:
        turns.append(_turn(at, "user", [result]))


def _turn(at: str, role: str, content: list[JSON]) -> JSON:
    return made(at, {"role": role, "content": content}, role=f"{at}.role")


def _located(message: JSON, at: str) -> list[tuple[str, JSON]]:
    return carry.parts(message.get("content"), f"{at}.content")


def _texts(part: JSON, at: str) -> JSON:
    return made(at, {"type": "text", "text": carry.text_of(part, at)})


def _user(message: JSON, at: str) -> list[JSON]:
    return [_part(part, where) for where, part in _located(message, at)]


def _assistant(message: JSON, at: str) -> list[JSON]:
    blocks = [
        _part(part, where)
        for where, part in carry.parts(
            message.get("content") or message.get("refusal"), f"{at}.content"
        )
    ]
    if message.get("function_call"):
        raise carry.refuse(f"{at}.function_call")
    for number, call in enumerate(message.get("tool_calls") or ()):
        blocks += _call(call, f"{at}.tool_calls[{number}]")
    return blocks


def _call(call: JSON, at: str) -> list[JSON]:
    """Return the call, after its signature if it is from a Google model."""
    if (call.get("type") or "function") != "function":
        raise carry.refuse(f"{at}.type")
    function = call["function"]
    try:
        arguments = parsed(function["arguments"] or "{}", dict)
    except ValueError:
        raise carry.malformed(f"{at}.function.arguments", "a JSON object") from None
    use = {"type": "tool_use", "id": call["id"], "name": function["name"], "input": arguments}
    found = made(at, use, id=f"{at}.id", input=f"{at}.function.arguments")
    if signature := signatures.of_call(call):
        thought = {"type": "thinking", "thinking": "", "signature": signatures.google(signature)}
        return [made(at, thought), found]
    return [found]


def _result(message: JSON, at: str) -> JSON:
    content, call = _user(message, at), message["tool_call_id"]
    result = {"type": "tool_result", "tool_use_id": call, "content": content}
    return made(at, result, tool_use_id=f"{at}.tool_call_id", content=f"{at}.content")


def _part(part: JSON, at: str) -> JSON:
    match part["type"]:
        case "text":
            return made(at, {"type": "text", "text": part["text"]}, text=f"{at}.text")
        case "refusal":
            return made(at, {"type": "text", "text": part["refusal"]}, text=f"{at}.refusal")
        case "image_url":
            source, where = _image(part, at), f"{at}.image_url.url"
            return made(at, {"type": "image", "source": source}, source=where)
        case "file":
            return made(at, _file(part["file"], f"{at}.file"), source=f"{at}.file.file_data")
        case _:
            raise carry.refuse(f"{at}.type")


def _image(part: JSON, at: str) -> JSON:
    url = part["image_url"]["url"]
    if found := carry.data_url(url):
        return {"type": "base64", "media_type": found[0], "data": found[1]}
    return {"type": "url", "url": carry.web_url(url, f"{at}.image_url.url")}


def _file(file: JSON, at: str) -> JSON:
    if not file.get("file_data"):
        raise carry.refuse(
            f"{at}.file_id", "refers to a file that this model's provider does not have"
        )
    found = carry.data_url(file["file_data"])
    if found is None or found[0] != "application/pdf":
        raise carry.malformed(f"{at}.file_data", "a data URL with a PDF")
    source = {"type": "base64", "media_type": found[0], "data": found[1]}
    title = {"title": file["filename"]} if file.get("filename") else {}
    return {"type": "document", "source": source, **title}


def _tools(body: JSON) -> JSON:
    found: JSON = {}
    for number, tool in enumerate(body.get("tools") or ()):
        found.setdefault("tools", []).append(_tool(tool, f"tools[{number}]"))
    alone = body.get("parallel_tool_calls") is False
    choice = _choice(body.get("tool_choice"))
    if choice or (alone and found):
        choice = choice or {"type": "auto"}
        wants = choice["type"] != "none" and alone
        found["tool_choice"] = choice | ({"disable_parallel_tool_use": True} if wants else {})
    return found


def _tool(tool: JSON, at: str) -> JSON:
    if tool["type"] != "function":
        raise carry.refuse(f"{at}.type")
    function = tool["function"]
    schema = function.get("parameters") or {"type": "object", "properties": {}}
    found = {"name": function["name"], "input_schema": schema}
    found |= carry.set_of(function, ("description", "strict"))
    return made(at, found, name=f"{at}.function.name", input_schema=f"{at}.function.parameters")


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
        case {"type": "json_object"}:
            config["format"] = {
                "type": "json_object"
            }  # not part of Messages; for providers that support it
        case {"type": "json_schema", "json_schema": {"schema": dict(schema)}}:
            config["format"] = {"type": "json_schema", "schema": schema}
        case _:
            raise carry.refuse("response_format")
    noted = made("response_format", config, effort="reasoning_effort", format="response_format")
    return {**thinking, **({"output_config": noted} if config else {})}
