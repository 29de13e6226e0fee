"""The blocks of a Messages request as Converse writes them."""

from __future__ import annotations

from ...dialects import carry
from ...dialects.protocol import JSON
from ..turns import non_blank

_IMAGES = {"image/png": "png", "image/jpeg": "jpeg", "image/gif": "gif", "image/webp": "webp"}
_IMAGES["image/jpg"] = "jpeg"
_MAX_NAME = 190


class Blocks:
    """Translates one request's blocks; it gives each document a name of its own."""

    def __init__(self) -> None:
        self._names: set[str] = set()

    def block(self, part: JSON, at: str) -> JSON:
        """One block.

        Raises:
            ClientError: Converse has none for it.
        """
        match part["type"]:
            case "text":
                return {"text": part["text"]}
            case "image":
                return {"image": _image(part["source"], f"{at}.source")}
            case "document":
                return {"document": self._document(part, at)}
            case "tool_use":
                call = {"toolUseId": part["id"], "name": part["name"], "input": part["input"]}
                return {"toolUse": call}
            case "tool_result":
                return {"toolResult": self._result(part, at)}
            case "thinking":
                signed = carry.set_of(part, ("signature",))
                return {"reasoningContent": {"reasoningText": {"text": part["thinking"], **signed}}}
            case "redacted_thinking":
                return {"reasoningContent": {"redactedContent": part["data"]}}
            case _:
                raise carry.refuse(f"{at}.type")

    def _document(self, part: JSON, at: str) -> JSON:
        if (part.get("citations") or {}).get("enabled"):
            raise carry.refuse(f"{at}.citations")
        name = self._name(part.get("title") or "")
        source = part["source"]
        match source["type"], source.get("media_type"):
            case "text", _:
                return {"format": "txt", "name": name, "source": {"text": source["data"]}}
            case "base64", "application/pdf":
                return {"format": "pdf", "name": name, "source": {"bytes": source["data"]}}
            case "base64", _:
                raise carry.refuse(f"{at}.source.media_type")
            case _:
                raise carry.refuse(f"{at}.source.type", "must be base64: Bedrock fetches nothing")

    def _name(self, title: str) -> str:
        """Bedrock takes letters, digits, single spaces and a few signs, and no name twice."""
        kept = (c if (c.isascii() and c.isalnum()) or c in "-()[]" else " " for c in title)
        name = found = " ".join("".join(kept).split())[:_MAX_NAME].strip() or "document"
        number = 1
        while found in self._names:
            number += 1
            found = f"{name} {number}"
        self._names.add(found)
        return found

    def _result(self, part: JSON, at: str) -> JSON:
        inner = non_blank(part.get("content"), f"{at}.content")
        # An empty result is one: blank texts, and no content at all, are refused.
        content = [self.block(piece, where) for where, piece in inner] or [{"json": {"result": ""}}]
        status = "error" if part.get("is_error") else "success"
        return {"toolUseId": part["tool_use_id"], "content": content, "status": status}


def _image(source: JSON, at: str) -> JSON:
    if source["type"] != "base64":
        raise carry.refuse(f"{at}.type", "must be base64: Bedrock fetches nothing")
    if source["media_type"] not in _IMAGES:
        raise carry.refuse(f"{at}.media_type", "must be one of png, jpeg, gif and webp")
    return {"format": _IMAGES[source["media_type"]], "source": {"bytes": source["data"]}}
