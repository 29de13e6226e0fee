"""Translate a Responses request to Chat Completions.

The body has been validated against ``responses.schema``; any remaining error is a field without
a counterpart.
"""

from __future__ import annotations

from typing import Any

from ...errors import ClientError
from .. import carry, signatures
from ..origins import made
from ..protocol import JSON, ParsedRequest
from ..schema import check
from .schema import Item, Request
from .tools import custom_arguments, function_name, tools

# fmt: off
FIELDS = carry.Fields(
    carried=[
        "model", "input", "instructions", "stream", "max_output_tokens", "temperature", "top_p",
        "tools", "tool_choice", "parallel_tool_calls", "reasoning", "text", "user",
        "safety_identifier",
    ],
    no_effect=[
        "stream_options", "metadata", "client_metadata", "store", "service_tier",
        "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention",
        # Settings of tools that OpenAI runs; the tools themselves are refused.
        "max_tool_calls",
    ],
    harmless={"background": (False,), "truncation": ("disabled",), "top_logprobs": (0,)},
)
# fmt: on
_RENAMED = {
    "max_output_tokens": "max_tokens",
    "temperature": "temperature",
    "top_p": "top_p",
    "parallel_tool_calls": "parallel_tool_calls",
    "user": "user",
    "safety_identifier": "safety_identifier",
}
_ORIGINS = {
    "messages": "input",
    "max_tokens": "max_output_tokens",
    "reasoning_effort": "reasoning.effort",
    "response_format": "text.format",
    "verbosity": "text.verbosity",
    "tool_choice": "tool_choice",
}
# Requests log probabilities, which the translated answer does not have.
_LOGPROBS = "message.output_text.logprobs"


def to_chat(body: JSON) -> JSON:
    """Return the body, translated.

    Raises:
        ClientError: A field has no counterpart in ``chat``; ``param`` names it.
    """
    if body.get("previous_response_id"):
        raise carry.refuse(
            "previous_response_id",
            "is not supported: this server does not store responses; send the items themselves",
        )
    FIELDS.check({name: value for name, value in body.items() if name != "include"})
    if _LOGPROBS in (body.get("include") or ()):
        raise carry.refuse(f"include[{body['include'].index(_LOGPROBS)}]")
    messages = _input(body.get("input"))
    if body.get("instructions"):
        system = {"role": "system", "content": body["instructions"]}
        messages = [made("instructions", system), *messages]
    found: JSON = {"model": body["model"], "messages": messages}
    for name, ours in _RENAMED.items():
        if body.get(name) is not None:
            found[ours] = body[name]
    return made("", {**found, **tools(body), **_output(body)}, **_ORIGINS)


def _input(given: Any) -> list[JSON]:
    if isinstance(given, str):
        return [made("input", {"role": "user", "content": given})]
    found: list[JSON] = []
    signature: str | None = None
    for number, item in enumerate(given or ()):
        if Item.tag_of(item) == "reasoning":
            # Another provider cannot use earlier reasoning, except for Google's signature.
            signature = signatures.of_google(item.get("encrypted_content")) or signature
            continue
        _add(found, item, f"input[{number}]")
        if signature and found[-1].get("tool_calls"):
            found[-1]["tool_calls"][-1]["extra_content"] = signatures.extra_content(signature)
            signature = None
    return found


def _add(found: list[JSON], item: JSON, at: str) -> None:
    match Item.tag_of(item):
        case "message":
            content = _content(item["content"], f"{at}.content")
            message = {"role": item["role"], "content": content}
            found.append(made(at, message, content=f"{at}.content"))
        case "function_call":
            name = function_name(item["name"], item.get("namespace"))
            _add_call(found, item, at, _function(name, item["arguments"], at, "arguments"))
        case "custom_tool_call":
            arguments = custom_arguments(item["input"])
            name = function_name(item["name"], item.get("namespace"))
            _add_call(found, item, at, _function(name, arguments, at, "input"))
        case "function_call_output" | "custom_tool_call_output":
            content = _content(item["output"], f"{at}.output")
            message = {"role": "tool", "tool_call_id": item["call_id"], "content": content}
            found.append(made(at, message, tool_call_id=f"{at}.call_id", content=f"{at}.output"))
        case _:
            raise carry.refuse(f"{at}.type")


def _add_call(found: list[JSON], item: JSON, at: str, function: JSON) -> None:
    if not found or found[-1]["role"] != "assistant":
        found.append(made(at, {"role": "assistant", "content": None}))
    calls = found[-1].setdefault("tool_calls", [])
    call = {"id": item["call_id"], "type": "function", "function": function}
    calls.append(made(at, call, id=f"{at}.call_id"))


def _function(name: str, arguments: str, at: str, field: str) -> JSON:
    return made(at, {"name": name, "arguments": arguments}, arguments=f"{at}.{field}")


def _content(content: object, at: str) -> Any:
    parts = [_part(part, where) for where, part in carry.parts(content, at)]
    if all(part["type"] == "text" for part in parts):
        return "".join(part["text"] for part in parts)
    return parts


def _part(part: JSON, at: str) -> JSON:
    match part["type"]:
        case "text" | "input_text" | "output_text":
            return made(at, {"type": "text", "text": part["text"]})
        case "refusal":
            return made(at, {"type": "text", "text": part["refusal"]})
        case "input_image" if part.get("image_url"):
            url = part["image_url"]
            if carry.data_url(url) is None:
                carry.web_url(url, f"{at}.image_url")
            image = {"url": url, **carry.set_of(part, ["detail"])}
            where = f"{at}.image_url"
            return made(at, {"type": "image_url", "image_url": image}, image_url=where)
        case "input_file" if part.get("file_data"):
            file = {"filename": part.get("filename") or "file", "file_data": part["file_data"]}
            return made(at, {"type": "file", "file": file}, file=f"{at}.file_data")
        case _:
            raise carry.refuse(f"{at}.type")


def _output(body: JSON) -> JSON:
    found: JSON = {}
    reasoning = body.get("reasoning") or {}
    # Reasoning is always sent as a summary; which turns keep it concerns OpenAI only.
    carry.only(reasoning, ("effort", "summary", "generate_summary", "context"), "reasoning")
    if reasoning.get("effort"):
        found["reasoning_effort"] = reasoning["effort"]
    text = body.get("text") or {}
    carry.only(text, ("format", "verbosity"), "text")
    if text.get("verbosity"):
        found["verbosity"] = text["verbosity"]
    form = text.get("format") or {"type": "text"}
    match form["type"]:
        case "text":
            pass
        case "json_schema":
            schema = carry.set_of(form, ("name", "schema", "strict", "description"))
            found["response_format"] = {"type": "json_schema", "json_schema": schema}
        case "json_object":
            found["response_format"] = {"type": "json_object"}
        case _:
            raise carry.refuse("text.format.type")
    return found


def parse(raw: object) -> ParsedRequest:
    """Validate a request body against ``responses.schema``.

    Raises:
        ClientError: A field is missing or malformed; ``param`` names it.
    """
    body = check(raw, Request)
    if not body.get("previous_response_id"):
        if body.get("input") is None:
            raise ClientError(
                "input is required.", code="missing_required_parameter", param="input"
            )
        if body["input"] == []:
            raise ClientError("input is empty.", code="invalid_value", param="input")
    stream = bool(body.get("stream"))
    return ParsedRequest(model=body["model"], stream=stream, body=body, dialect="responses")
