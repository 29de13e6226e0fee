"""Rename tool call ids to the form that providers accept: safe characters, at most 64, unique."""

from __future__ import annotations

import re
from hashlib import sha256

from ..dialects import carry
from ..dialects.protocol import JSON

_SAFE = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_UNSAFE = re.compile(r"[^a-zA-Z0-9_-]")


def safe(call: str) -> str:
    """Return the id, or a hash of it if it is not safe. Equal ids give equal results."""
    if _SAFE.fullmatch(call):
        return call
    digest = sha256(call.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{_UNSAFE.sub('_', call)[:32]}_{digest[:24]}"


class CallIds:
    """Renamer of the ids in one conversation, turn by turn.

    Some providers number their calls from the start in each answer, so a conversation can contain
    an id twice. A result belongs to the last turn's call with its id.
    """

    def __init__(self) -> None:
        self._used: set[str] = set()
        self._names: dict[str, str] = {}

    def of_calls(self, blocks: list[tuple[str, JSON]]) -> list[tuple[str, JSON]]:
        """Return an assistant turn's blocks with renamed calls.

        Raises:
            ClientError: Two calls of the turn have the same id.
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
        """Return a user turn's blocks: renamed results in the order of their calls, then the rest.

        Raises:
            ClientError: A result has no call in the previous turn, or another result for it exists.
        """
        found: dict[str, tuple[str, JSON]] = {}
        rest: list[tuple[str, JSON]] = []
        for at, block in blocks:
            if block["type"] != "tool_result":
                rest.append((at, block))
                continue
            call = block["tool_use_id"]
            if call not in self._names:
                raise carry.refuse(
                    f"{at}.tool_use_id", "does not belong to a call in the previous turn"
                )
            if call in found:
                raise carry.refuse(
                    f"{at}.tool_use_id", "belongs to a call that already has a result"
                )
            found[call] = (at, {**block, "tool_use_id": self._names[call]})
        return [*(found[call] for call in self._names if call in found), *rest]
