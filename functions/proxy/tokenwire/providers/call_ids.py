"""Ids of tool calls, as providers take them: safe characters, no longer than 64, each once."""

from __future__ import annotations

import re
from hashlib import sha256

from ..dialects import carry
from ..dialects.protocol import JSON

_SAFE = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_UNSAFE = re.compile(r"[^a-zA-Z0-9_-]")


def safe(call: str) -> str:
    """The id, or one that stands for it: the same for the same id, and another for any other."""
    if _SAFE.fullmatch(call):
        return call
    digest = sha256(call.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{_UNSAFE.sub('_', call)[:32]}_{digest[:24]}"


class CallIds:
    """Renames the ids of one conversation, turn by turn.

    Some providers count their calls anew in each answer, so that a conversation has an id twice:
    results refer to the last turn's call of that name.
    """

    def __init__(self) -> None:
        self._used: set[str] = set()
        self._names: dict[str, str] = {}

    def of_calls(self, blocks: list[tuple[str, JSON]]) -> list[tuple[str, JSON]]:
        """An assistant's blocks, calls renamed.

        Raises:
            ClientError: Two calls of the turn have one id.
        """
        self._names = {}
        return [(at, self._call(at, block)) for at, block in blocks]

    def _call(self, at: str, block: JSON) -> JSON:
        if block["type"] != "tool_use":
            return block
        if block["id"] in self._names:
            raise carry.refuse(f"{at}.id", "is the id of another call in the same turn")
        name = self._unused(safe(block["id"]))
        self._names[block["id"]] = name
        return {**block, "id": name}

    def _unused(self, name: str) -> str:
        if name in self._used:
            name = safe(f"{name} {len(self._used)}")
        self._used.add(name)
        return name

    def of_results(self, blocks: list[tuple[str, JSON]]) -> list[tuple[str, JSON]]:
        """A user's blocks: results first, renamed, in the order of the calls; then the rest.

        Raises:
            ClientError: A result is of no call of the turn before, or of one that has one.
        """
        found: dict[str, tuple[str, JSON]] = {}
        rest: list[tuple[str, JSON]] = []
        for at, block in blocks:
            if block["type"] != "tool_result":
                rest.append((at, block))
                continue
            call = block["tool_use_id"]
            if call not in self._names:
                raise carry.refuse(f"{at}.tool_use_id", "is of no call in the turn before")
            if call in found:
                raise carry.refuse(f"{at}.tool_use_id", "has a result already")
            found[call] = (at, {**block, "tool_use_id": self._names[call]})
        return [*(found[call] for call in self._names if call in found), *rest]
