"""A conversation as providers take it: the turns of a Messages request, made legal.

What says nothing is dropped, turns of one role are merged, and ids of tool calls are made safe;
that changes no meaning. What would is a ``ClientError`` that names the field. The rules are those
of Anthropic's documentation and of Bedrock's and Google's error messages; see ``docs/decisions``.
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
    """What one role says at once; ``at`` is the path of its first message."""

    role: str
    at: str
    blocks: list[Located]

    def of(self, kind: str) -> list[Located]:
        """Its blocks of a type."""
        return [(at, block) for at, block in self.blocks if block["type"] == kind]


def conversation(messages: list[JSON], *, for_google: bool = False) -> list[Turn]:
    """The turns: none empty, no two of one role in a row, each tool call with its result.

    Args:
        messages: Of a Messages request.
        for_google: Whose signed thoughts are kept: Google's, or everybody else's.

    Raises:
        ClientError: Nothing is left, or calls and results do not match.
    """
    found = _merged(_turns(messages, for_google=for_google))
    if not any(turn.role != "system" for turn in found):
        raise carry.refuse("messages", "must hold a turn that says something")
    ids = CallIds()
    return [_paired(ids, turn, before, after) for before, turn, after in _neighbours(found)]


def user_first(turns: list[Turn]) -> None:
    """Refuse a conversation that another role begins.

    Raises:
        ClientError: ``param`` is the first message's role.
    """
    if turns[0].role == "assistant":
        raise carry.refuse(f"{turns[0].at}.role", "must be user in the first turn")


def non_blank(content: object, at: str) -> list[Located]:
    """A content's blocks but for blank texts, which no provider takes."""
    return [(where, part) for where, part in carry.parts(content, at) if not _is_blank(part)]


def called(turns: Iterable[Turn]) -> list[str]:
    """The names of the tools that were called, each once."""
    return list(dict.fromkeys(use["name"] for turn in turns for _, use in turn.of("tool_use")))


def one_call(body: JSON) -> bool:
    """Whether the caller of a Messages request wants no parallel tool calls."""
    return bool((body.get("tool_choice") or {}).get("disable_parallel_tool_use"))


def _is_blank(block: JSON) -> bool:
    return block["type"] == "text" and not block["text"].strip()


def _turns(messages: list[JSON], *, for_google: bool) -> Iterable[Turn]:
    for number, message in enumerate(messages):
        at = f"messages[{number}]"
        blocks = non_blank(message["content"], f"{at}.content")
        kept = [one for one in blocks if not _is_foreign(one[1], for_google=for_google)]
        if any(not _is_seal(block) for _, block in kept):
            yield Turn(message["role"], at, kept)


def _is_seal(block: JSON) -> bool:
    """Whether it is a signature alone, which says nothing without what it belongs to."""
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
    """The turn with safe ids; results before all else, in the order of their calls."""
    uses, results = turn.of("tool_use"), turn.of("tool_result")
    if turn.role == "assistant":
        _answered(uses, after)
        return Turn(turn.role, turn.at, ids.of_calls(turn.blocks))
    if uses:
        raise carry.refuse(f"{uses[0][0]}.type")
    if results and (before is None or before.role != "assistant"):
        raise carry.refuse(f"{results[0][0]}.tool_use_id", "is of no call in the turn before")
    return Turn(turn.role, turn.at, ids.of_results(turn.blocks)) if results else turn


def _answered(uses: list[Located], after: Turn | None) -> None:
    results = after.of("tool_result") if after else []
    answered = {result["tool_use_id"] for _, result in results}
    for at, use in uses:
        if use["id"] not in answered:
            raise carry.refuse(at, "is a tool call without a result in the next turn")
