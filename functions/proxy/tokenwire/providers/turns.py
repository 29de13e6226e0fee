"""Normalise the turns of a Messages request to a conversation that providers accept.

Empty blocks are dropped, consecutive turns of one role are merged, and ids of tool calls are made
safe: none of this changes the meaning. Anything that would is a ``ClientError`` that names the
field. The rules come from Anthropic's documentation and from error messages of Bedrock and Google;
see ``docs/decisions``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from ..dialects import carry
from ..dialects.protocol import JSON
from ..dialects.signatures import of_google
from .call_ids import CallIds

Located: TypeAlias = tuple[str, JSON]
"""A block, and its path in the request."""
_THOUGHTS = frozenset({"thinking", "redacted_thinking"})


@dataclass(frozen=True, slots=True)
class Turn:
    """Consecutive blocks of one role; ``at`` is the path of the first message."""

    role: str
    at: str
    blocks: list[Located]

    def of(self, kind: str) -> list[Located]:
        """Return the blocks of a type."""
        return [(at, block) for at, block in self.blocks if block["type"] == kind]


def conversation(messages: list[JSON], *, for_google: bool = False) -> list[Turn]:
    """Return the turns: none empty, no two of one role in a row, a result for each tool call.

    Args:
        messages: The messages of a Messages request.
        for_google: Whether to keep reasoning signed by Google, or by all other providers.

    Raises:
        ClientError: No turn is left, or calls and results do not match.
    """
    found = _merged(_turns(messages, for_google=for_google))
    if not any(turn.role != "system" for turn in found):
        raise carry.refuse("messages", "must contain a message with content")
    ids = CallIds()
    return [_paired(ids, turn, before, after) for before, turn, after in _neighbours(found)]


def user_first(turns: list[Turn]) -> None:
    """Raise an error if the first turn is the assistant's.

    Raises:
        ClientError: ``param`` is the first message's role.
    """
    if turns[0].role == "assistant":
        raise carry.refuse(f"{turns[0].at}.role", "must be user in the first turn")


def non_blank(content: object, at: str) -> list[Located]:
    """Return a content's blocks without blank texts, which no provider accepts."""
    return [(where, part) for where, part in carry.parts(content, at) if not _is_blank(part)]


def called(turns: Iterable[Turn]) -> list[str]:
    """Return the names of the called tools, without duplicates."""
    return list(dict.fromkeys(use["name"] for turn in turns for _, use in turn.of("tool_use")))


def one_call(body: JSON) -> bool:
    """Return whether a Messages request disables parallel tool calls."""
    return bool((body.get("tool_choice") or {}).get("disable_parallel_tool_use"))


def _is_blank(block: JSON) -> bool:
    return block["type"] == "text" and not block["text"].strip()


def _turns(messages: list[JSON], *, for_google: bool) -> Iterable[Turn]:
    for number, message in enumerate(messages):
        at = f"messages[{number}]"
        blocks = non_blank(message["content"], f"{at}.content")
        kept = [one for one in blocks if not _is_foreign(one[1], for_google=for_google)]
        if any(not _is_signature(block) for _, block in kept):
            yield Turn(message["role"], at, kept)


def _is_signature(block: JSON) -> bool:
    """Return whether a block is a signature without text, which is useless on its own."""
    return block["type"] == "thinking" and not block["thinking"].strip()


def _is_foreign(block: JSON, *, for_google: bool) -> bool:
    if block["type"] not in _THOUGHTS:
        return False
    return (of_google(block.get("signature")) is not None) is not for_google


def _merged(turns: Iterable[Turn]) -> list[Turn]:
    found: list[Turn] = []
    for turn in turns:
        if found and found[-1].role == turn.role:
            found[-1].blocks.extend(turn.blocks)
        else:
            found.append(turn)
    return found


def _neighbours(turns: list[Turn]) -> Iterable[tuple[Turn | None, Turn, Turn | None]]:
    return zip([None, *turns[:-1]], turns, [*turns[1:], None], strict=True)


def _paired(ids: CallIds, turn: Turn, before: Turn | None, after: Turn | None) -> Turn:
    """Return the turn with safe ids; results come first, in the order of their calls."""
    uses, results = turn.of("tool_use"), turn.of("tool_result")
    if turn.role == "assistant":
        _answered(uses, after)
        return Turn(turn.role, turn.at, ids.of_calls(turn.blocks))
    if uses:
        raise carry.refuse(f"{uses[0][0]}.type")
    if results and (before is None or before.role != "assistant"):
        raise carry.refuse(
            f"{results[0][0]}.tool_use_id", "does not belong to a call in the previous turn"
        )
    return Turn(turn.role, turn.at, ids.of_results(turn.blocks)) if results else turn


def _answered(uses: list[Located], after: Turn | None) -> None:
    results = after.of("tool_result") if after else []
    answered = {result["tool_use_id"] for _, result in results}
    for at, use in uses:
        if use["id"] not in answered:
            raise carry.refuse(at, "is a tool call without a result in the next turn")
