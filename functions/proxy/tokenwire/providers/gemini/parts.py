"""Translate the turns of a Messages request to Gemini's API."""

from __future__ import annotations

from mimetypes import guess_type

from ...dialects import carry
from ...dialects.protocol import JSON
from ...dialects.signatures import SKIP, of_google, wants_signatures
from ..turns import Located, Turn, non_blank

_THOUGHTS = frozenset({"thinking", "redacted_thinking"})


def contents(turns: list[Turn], model: str) -> list[JSON]:
    """Return the turns in Gemini's form.

    Raises:
        ClientError: Gemini has no counterpart for a block; ``param`` names it.
    """
    if turns[0].role == "assistant" and turns[0].of("tool_use"):
        raise carry.refuse(f"{turns[0].at}.role", "must be user in the first turn")
    names: dict[str, str] = {}
    return [_turn(turn, names, model) for turn in turns]


def _turn(turn: Turn, names: dict[str, str], model: str) -> JSON:
    if turn.role == "system":
        raise carry.refuse(f"{turn.at}.role")
    if turn.role == "assistant":
        names.update((use["id"], use["name"]) for _, use in turn.of("tool_use"))
        return {"role": "model", "parts": _signed(turn, model)}
    return {"role": "user", "parts": [_part(part, at, names) for at, part in turn.blocks]}


def _signed(turn: Turn, model: str) -> list[JSON]:
    """Return a model's parts with each signature on its call, or else on the preceding text."""
    found: list[JSON] = []
    held: str | None = None
    for at, block in turn.blocks:
        if block["type"] not in _THOUGHTS:
            part = _part(block, at, {})
            if held and block["type"] == "tool_use":
                part, held = {**part, "thoughtSignature": held}, None
            found.append(part)
            continue
        if block.get("thinking", "").strip():
            found.append({"text": block["thinking"], "thought": True})
        held = of_google(block.get("signature")) or held
    if held and found:
        found[-1]["thoughtSignature"] = held
    return _first_call_signed(found, model)


def _first_call_signed(parts: list[JSON], model: str) -> list[JSON]:
    """Add a signature to the first of parallel calls, the only one that must have it."""
    first = next((part for part in parts if "functionCall" in part), None)
    if first is not None and wants_signatures(model):
        first.setdefault("thoughtSignature", SKIP)
    return parts


def _part(part: JSON, at: str, names: dict[str, str]) -> JSON:
    match part["type"]:
        case "text":
            return {"text": part["text"]}
        case "image" | "document":
            return _data(part["source"], f"{at}.source")
        case "tool_use":
            call = {"id": part["id"], "name": part["name"], "args": part["input"]}
            return {"functionCall": call}
        case "tool_result":
            return _result(part, at, names)
        case _:
            raise carry.refuse(f"{at}.type")


def _data(source: JSON, at: str) -> JSON:
    match source["type"]:
        case "base64":
            return {"inlineData": {"mimeType": source["media_type"], "data": source["data"]}}
        case "text":
            return {"text": source["data"]}
        case "url":
            url = carry.web_url(source["url"], f"{at}.url")
            # Google determines the type from the file if the URL has no known extension.
            kind = guess_type(url.split("?")[0])[0]
            return {"fileData": {"fileUri": url, **({"mimeType": kind} if kind else {})}}
        case _:
            raise carry.refuse(f"{at}.type")


def _result(part: JSON, at: str, names: dict[str, str]) -> JSON:
    call = part["tool_use_id"]
    text = "".join(_text(located) for located in non_blank(part.get("content"), f"{at}.content"))
    response = {"error" if part.get("is_error") else "result": text}
    return {"functionResponse": {"id": call, "name": names[call], "response": response}}


def _text(located: Located) -> str:
    at, part = located
    return carry.text_of(part, at)
