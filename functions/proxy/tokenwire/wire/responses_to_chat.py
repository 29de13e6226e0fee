"""A Responses request as one of Chat Completions."""

from __future__ import annotations

from typing import Any

from . import carry
from .protocol import JSON

# fmt: off
_FIELDS = frozenset([
    "model", "input", "instructions", "stream", "stream_options", "max_output_tokens",
    "temperature", "top_p", "tools", "tool_choice", "parallel_tool_calls", "reasoning", "text",
    "user", "safety_identifier", "metadata", "store", "prompt_cache_key",
])
# fmt: on
_SILENT: JSON = {
    "background": (False,),
    "truncation": ("disabled",),
    "service_tier": ("auto", "default"),
    # Asks for what is said anyhow, where there is any.
    "include": (["reasoning.encrypted_content"],),
}


def to_chat(body: JSON) -> JSON:
    """The body, translated.

    Raises:
        ClientError: A field is malformed, or cannot be said in ``chat``; ``param`` names it.
    """
    carry.only(body, _FIELDS, silent=_SILENT)
    messages = _input(body["input"])
    if body.get("instructions"):
        system = {"role": "system", "content": carry.a_text(body["instructions"], "instructions")}
        messages = [system, *messages]
    found: JSON = {"model": body["model"], "messages": messages}
    for name, ours in (
        ("max_output_tokens", "max_tokens"),
        ("temperature", "temperature"),
        ("top_p", "top_p"),
        ("parallel_tool_calls", "parallel_tool_calls"),
        ("user", "user"),
        ("safety_identifier", "safety_identifier"),
    ):
        if body.get(name) is not None:
            found[ours] = body[name]
    return {**found, **_tools(body), **_output(body)}


def _input(said: Any) -> list[JSON]:
    if isinstance(said, str):
        return [{"role": "user", "content": said}]
    found: list[JSON] = []
    for number, item in enumerate(carry.a_list(said, "input")):
        _add(found, carry.an_object(item, f"input[{number}]"), f"input[{number}]")
    return found


def _add(found: list[JSON], item: JSON, at: str) -> None:
    match item.get("type", "message"):
        case "message":
            found.append(_message(item, at))
        case "function_call":
            _add_call(found, item, at)
        case "function_call_output":
            content = _content(item.get("output"), f"{at}.output")
            call = carry.a_text(item.get("call_id"), f"{at}.call_id")
            found.append({"role": "tool", "tool_call_id": call, "content": content})
        case "reasoning":
            pass  # of an earlier turn: means nothing to another provider
        case _:
            raise carry.refuse(f"{at}.type")


def _add_call(found: list[JSON], item: JSON, at: str) -> None:
    function = {
        "name": carry.a_text(item.get("name"), f"{at}.name"),
        "arguments": carry.a_text(item.get("arguments"), f"{at}.arguments"),
    }
    call_id = carry.a_text(item.get("call_id"), f"{at}.call_id")
    if not found or found[-1]["role"] != "assistant":
        found.append({"role": "assistant", "content": None})
    calls = found[-1].setdefault("tool_calls", [])
    calls.append({"id": call_id, "type": "function", "function": function})


def _message(item: JSON, at: str) -> JSON:
    role = item.get("role")
    if role not in ("user", "assistant", "system", "developer"):
        raise carry.malformed(f"{at}.role", "user, assistant, system or developer")
    return {"role": role, "content": _content(item.get("content"), f"{at}.content")}


def _content(said: object, at: str) -> Any:
    parts = [_part(part, where) for where, part in carry.parts(said, at)]
    if all(part["type"] == "text" for part in parts):
        return "".join(part["text"] for part in parts)
    return parts


def _part(part: JSON, at: str) -> JSON:
    match part.get("type"):
        case "text" | "input_text" | "output_text":
            return {"type": "text", "text": carry.a_text(part.get("text"), f"{at}.text")}
        case "refusal":
            return {"type": "text", "text": carry.a_text(part.get("refusal"), f"{at}.refusal")}
        case "input_image" if part.get("image_url"):
            url = carry.a_text(part["image_url"], f"{at}.image_url")
            if carry.data_url(url) is None:
                carry.web_url(url, f"{at}.image_url")
            detail = {"detail": part["detail"]} if part.get("detail") else {}
            return {"type": "image_url", "image_url": {"url": url, **detail}}
        case "input_file" if part.get("file_data"):
            file = {"filename": part.get("filename") or "file", "file_data": part["file_data"]}
            return {"type": "file", "file": file}
        case _:
            raise carry.refuse(f"{at}.type")


def _tools(body: JSON) -> JSON:
    found: JSON = {}
    for number, tool in enumerate(body.get("tools") or ()):
        at = f"tools[{number}]"
        if carry.an_object(tool, at).get("type") != "function":
            raise carry.refuse(f"{at}.type", "is a tool that only OpenAI runs")
        kept = ("name", "description", "parameters", "strict")
        function = {name: tool[name] for name in kept if tool.get(name) is not None}
        found.setdefault("tools", []).append({"type": "function", "function": function})
    match body.get("tool_choice"):
        case None:
            pass
        case "auto" | "none" | "required" as choice:
            found["tool_choice"] = choice
        case {"type": "function", "name": str(name)}:
            found["tool_choice"] = {"type": "function", "function": {"name": name}}
        case _:
            raise carry.refuse("tool_choice")
    return found


def _output(body: JSON) -> JSON:
    found: JSON = {}
    reasoning = carry.an_object(body.get("reasoning") or {}, "reasoning")
    carry.only(reasoning, ("effort", "summary", "generate_summary"), "reasoning")
    if reasoning.get("effort"):
        found["reasoning_effort"] = reasoning["effort"]
    text = carry.an_object(body.get("text") or {}, "text")
    carry.only(text, ("format", "verbosity"), "text")
    if text.get("verbosity"):
        found["verbosity"] = text["verbosity"]
    match text.get("format"):
        case None | {"type": "text"}:
            pass
        case {"type": "json_schema"} as form:
            schema = {k: form[k] for k in ("name", "schema", "strict", "description") if k in form}
            found["response_format"] = {"type": "json_schema", "json_schema": schema}
        case {"type": "json_object"}:
            found["response_format"] = {"type": "json_object"}
        case _:
            raise carry.refuse("text.format")
    return found
