"""A backtracking matcher that counts its steps, and texts that make a pattern work hard.

It runs the syntax tree that ``re`` itself parses, as ``re`` would without its shortcuts. The steps
for a text and for one twice as long tell whether a pattern takes linear time.
"""

from __future__ import annotations

import importlib
import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

_parser: Any = importlib.import_module("re._parser")
_MOST = 200_000
# One of each kind of character, so that classes that overlap get the same ones.
_ALPHABET = "a-0 A_./:;=,[]()`*~|\"'\\\n\r\t+<>#&?!{}x9\u00e9\x00"
_SPACES = frozenset(" \t\n\r\f\v")


class TooManySteps(Exception):
    """A text of 200 characters took more steps than any linear pattern would."""


@cache
def _category(name: str, char: str) -> bool:
    kind = name.removeprefix("CATEGORY_").removeprefix("NOT_")
    found = {
        "DIGIT": char.isdecimal(),
        "SPACE": char.isspace() or char in _SPACES,
        "WORD": char.isalnum() or char == "_",
    }[kind]
    return found != name.startswith("CATEGORY_NOT_")


def _one(op: str, value: Any, char: str) -> bool:
    match op:
        case "LITERAL":
            return ord(char) == int(value)
        case "NOT_LITERAL":
            return ord(char) != int(value)
        case "ANY":
            return char != "\n"
        case "RANGE":
            return bool(value[0] <= ord(char) <= value[1])
        case "CATEGORY":
            return _category(str(value), char)
    items = [(str(op_), value_) for op_, value_ in value]
    negated = items[0][0] == "NEGATE"
    return any(_one(*item, char) for item in items if item[0] != "NEGATE") != negated


def _accepts(op: str, value: Any, flags: int) -> Callable[[str], bool]:
    if op == "ANY" and flags & re.DOTALL:
        return lambda _: True
    if not flags & re.IGNORECASE:
        return lambda char: _one(op, value, char)
    return lambda char: any(_one(op, value, c) for c in {char, char.lower()[:1], char.upper()[:1]})


@dataclass
class Program:
    """A compiled pattern. Instructions are tuples; see ``_Machine``."""

    code: list[tuple[Any, ...]]
    tree: Any
    flags: int

    @classmethod
    @cache
    def of(cls, pattern: str | bytes, flags: int = 0, *, whole: bool = False) -> Program:
        """Compile a pattern; ``whole`` as for ``fullmatch``."""
        tree = _parser.parse(pattern, flags & ~re.UNICODE if isinstance(pattern, bytes) else flags)
        program = cls([], tree, tree.state.flags)
        program._add(tree)
        program.code += [("at", "AT_END_STRING")] if whole else []
        program.code.append(("end",))
        return program

    def _sub(self, tree: Any) -> list[tuple[Any, ...]]:
        inner = Program([], tree, self.flags)
        inner._add(tree)
        return [*inner.code, ("end",)]

    def _add(self, tree: Any) -> None:
        for op, value in tree:
            self._node(str(op), value)

    def _node(self, op: str, value: Any) -> None:
        match op:
            case "MAX_REPEAT" | "MIN_REPEAT":
                self._repeat(*value, lazy=op == "MIN_REPEAT")
            case "POSSESSIVE_REPEAT":
                inner = Program([], value[2], self.flags)
                inner._repeat(*value, lazy=False)
                self.code.append(("atomic", [*inner.code, ("end",)]))
            case "ATOMIC_GROUP":
                self.code.append(("atomic", self._sub(value)))
            case "BRANCH":
                self._branch(value[1])
            case "SUBPATTERN":
                self._group(value[0], value[3])
            case _:
                self.code.append(self._test_of(op, value))

    def _test_of(self, op: str, value: Any) -> tuple[Any, ...]:
        match op:
            case "GROUPREF":
                return ("ref", value)
            case "AT":
                return ("at", str(value))
            case "ASSERT" | "ASSERT_NOT":
                width = value[1].getwidth()[0] if value[0] < 0 else 0
                return ("look", self._sub(value[1]), width, op == "ASSERT")
            case _:
                return ("char", cache(_accepts(op, value, self.flags)))

    def _repeat(self, least: int, most: Any, tree: Any, *, lazy: bool) -> None:
        for _ in range(least):
            self._add(tree)
        if most == _parser.MAXREPEAT:
            start = len(self.code)
            self.code.append(("split", 0, 0))
            self._add(tree)
            self.code.append(("back", start))
            self._fork(start, len(self.code), lazy=lazy)
            return
        forks = []
        for _ in range(int(most) - least):
            forks.append(len(self.code))
            self.code.append(("split", 0, 0))
            self._add(tree)
        for fork in forks:
            self._fork(fork, len(self.code), lazy=lazy)

    def _fork(self, at: int, out: int, *, lazy: bool) -> None:
        self.code[at] = ("split", out, at + 1) if lazy else ("split", at + 1, out)

    def _branch(self, trees: Any) -> None:
        jumps = []
        for tree in trees[:-1]:
            fork = len(self.code)
            self.code.append(("split", 0, 0))
            self._add(tree)
            jumps.append(len(self.code))
            self.code.append(("jump", 0))
            self._fork(fork, len(self.code), lazy=False)
        self._add(trees[-1])
        for jump in jumps:
            self.code[jump] = ("jump", len(self.code))

    def _group(self, number: int | None, tree: Any) -> None:
        if number is not None:
            self.code.append(("save", 2 * number))
        self._add(tree)
        if number is not None:
            self.code.append(("save", 2 * number + 1))


class _Machine:
    """Runs programs on one text, and counts."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.steps = 0

    def run(self, code: list[tuple[Any, ...]], start: int) -> int | None:
        """Where a match that begins here ends."""
        stack: list[tuple[int, int, dict[int, int]]] = [(0, start, {})]
        while stack:
            end = self._follow(code, stack, *stack.pop())
            if end is not None:
                return end
        return None

    def _follow(
        self,
        code: list[tuple[Any, ...]],
        stack: list[tuple[int, int, dict[int, int]]],
        at: int,
        place: int,
        saved: dict[int, int],
    ) -> int | None:
        """Go on to the end of a match, or until nothing follows; add what else may be tried."""
        text, size = self.text, len(self.text)
        while True:
            self.steps += 1
            if self.steps > _MOST:
                raise TooManySteps
            instruction = code[at]
            name = instruction[0]
            # Nearly all steps are one of these two: a call for each would take twice the time.
            if name == "char":
                if place >= size or not instruction[1](text[place]):
                    return None
                at, place = at + 1, place + 1
            elif name == "split":
                stack.append((instruction[2], place, saved))
                at = instruction[1]
            elif name == "end":
                return place
            else:
                following = self._next(instruction, at, place, saved)
                if following is None:
                    return None
                at, place, saved = following

    def _next(
        self, instruction: tuple[Any, ...], at: int, place: int, saved: dict[int, int]
    ) -> tuple[int, int, dict[int, int]] | None:
        """The state to go on with."""
        name, *rest = instruction
        match name:
            case "jump":
                return (rest[0], place, saved)
            case "back":  # an empty round is not repeated
                again = saved.get(-at) != place
                return (rest[0], place, {**saved, -at: place}) if again else None
            case "save":
                return (at + 1, place, {**saved, rest[0]: place})
        found = self._test(name, rest, place, saved)
        return None if found is None else (at + 1, found, saved)

    def _test(self, name: str, rest: list[Any], place: int, saved: dict[int, int]) -> int | None:
        text = self.text
        match name:
            case "at":
                return place if self._is_at(rest[0], place) else None
            case "ref":
                held = text[saved.get(2 * rest[0], 0) : saved.get(2 * rest[0] + 1, 0)]
                self.steps += len(held)
                return place + len(held) if text.startswith(held, place) else None
            case "atomic":
                return self.run(rest[0], place)
        begin = place - rest[1]
        found = begin >= 0 and self.run(rest[0], begin) is not None
        return place if found == rest[2] else None

    def _is_at(self, kind: str, place: int) -> bool:
        text = self.text
        if kind.startswith("AT_BEGINNING"):
            return place == 0
        if kind.startswith("AT_END"):
            return place == len(text) or (kind == "AT_END" and text[place:] == "\n")
        around = [_category("CATEGORY_WORD", char) for char in text[max(place - 1, 0) : place + 1]]
        if place in (0, len(text)):
            around = [*around[-1:], False]
        return (len(set(around)) == 2) == (kind == "AT_BOUNDARY")


ANCHORED = frozenset({"match", "fullmatch"})


def steps(pattern: str | bytes, flags: int, method: str, text: str) -> int:
    """How many steps the method of ``re`` takes with this text.

    Raises:
        TooManySteps: More than ``_MOST``.
    """
    program = Program.of(pattern, flags, whole=method == "fullmatch")
    machine = _Machine(text)
    at = 0
    while at <= len(text):
        end = machine.run(program.code, at)
        if method in ANCHORED or (method == "search" and end is not None):
            break
        at = end if end is not None and end > at else at + 1
    return machine.steps


def _samples(op: str, value: Any, flags: int, kind: int) -> str:
    """A text that the node matches, of the ``kind``-th kind."""
    match op:
        case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
            return _sample(value[2], flags, kind) * max(1, min(int(value[0]), 3))
        case "ATOMIC_GROUP":
            return _sample(value, flags, kind)
        case "BRANCH":
            return _sample(value[1][kind % len(value[1])], flags, kind)
        case "SUBPATTERN":
            return _sample(value[3], flags, kind)
        case "AT" | "ASSERT" | "ASSERT_NOT" | "GROUPREF":
            return ""
    if op == "LITERAL":
        return chr(int(value))
    chars = [char for char in _ALPHABET if _accepts(op, value, flags)(char)]
    return chars[kind % len(chars)] if chars else ""


def _sample(tree: Any, flags: int, kind: int) -> str:
    return "".join(_samples(str(op), value, flags, kind) for op, value in tree)


def _trees(tree: Any) -> Iterator[Any]:
    yield tree
    for op, value in tree:
        match str(op):
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                yield from _trees(value[2])
            case "SUBPATTERN":
                yield from _trees(value[3])
            case "BRANCH":
                for each in value[1]:
                    yield from _trees(each)
            case "ASSERT" | "ASSERT_NOT":
                yield from _trees(value[1])
            case "ATOMIC_GROUP":
                yield from _trees(value)


def pumps(pattern: str | bytes, flags: int) -> list[str]:
    """Texts to be repeated: what matches the parts of a pattern, in several kinds of characters."""
    program = Program.of(pattern, flags)
    found: dict[str, None] = {}
    for tree in _trees(program.tree):
        nodes = list(tree)
        for start, length in itertools.product(range(len(nodes)), (1, 2, 4, 99)):
            for kind in range(4):
                part = nodes[start : start + length]
                found[_sample(part, program.flags, kind)] = None
    return [text for text in found if 0 < len(text) <= 40]


def worst(pattern: str | bytes, flags: int, method: str, length: int) -> tuple[float, str]:
    """The most that twice a text costs, as a multiple of what it costs once; and its beginning."""
    most = (0.0, "")
    program = Program.of(pattern, flags)
    heads = {"", _sample(list(program.tree)[:3], program.flags, 0)}
    for pump, head, tail in itertools.product(pumps(pattern, flags), heads, ("", "!\x00")):
        count = max(4, length // len(pump))
        try:
            once = steps(pattern, flags, method, head + pump * count + tail)
            twice = steps(pattern, flags, method, head + pump * 2 * count + tail)
        except TooManySteps:
            return 99.0, head + pump
        most = max(most, (twice / once, head + pump))
    return most
