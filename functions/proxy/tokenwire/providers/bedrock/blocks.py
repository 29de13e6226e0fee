"""Translate the content blocks of a Messages request to Converse."""

from __future__ import annotations

from ...dialects import carry
from ...dialects.protocol import JSON
from ..turns import non_blank

_IMAGES = {"image/png": "png", "image/jpeg": "jpeg", "image/gif": "gif", "image/webp": "webp"}
_IMAGES["image/jpg"] = "jpeg"
_MAX_NAME = 190


class Blocks:
    """Translator of one request's blocks. Gives every document a unique name."""

    def __init__(self) -> None:
        self._names: set[str] = set()

    def block(self, part: JSON, at: str) -> JSON:
        """Return the Converse form of a block.

        Raises:
            ClientError: Converse has no such block (``unsupported_parameter``).
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
                raise carry.refuse(
                    f"{at}.source.type", "must be base64: Bedrock does not fetch URLs"
                )

    def _name(self, title: str) -> str:
        """Return a unique name with the characters that Bedrock allows."""
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
        # Bedrock refuses blank texts and empty content, so an empty result is sent as JSON.
        content = [self.block(piece, where) for where, piece in inner] or [{"json": {"result": ""}}]
        status = "error" if part.get("is_error") else "success"
        return {"toolUseId": part["tool_use_id"], "content": content, "status": status}


def _image(source: JSON, at: str) -> JSON:
    if source["type"] != "base64":
        raise carry.refuse(f"{at}.type", "must be base64: Bedrock does not fetch URLs")
    if source["media_type"] not in _IMAGES:
        raise carry.refuse(
            f"{at}.media_type", "must be one of image/png, image/jpeg, image/gif and image/webp"
        )
    return {"format": _IMAGES[source["media_type"]], "source": {"bytes": source["data"]}}
