"""Every regular expression of the package takes linear time, whatever it is given.

Patterns are found in the source. Each is run on texts that are made from its own parts, by a
matcher that counts its steps: for twice the text it must not take much more than twice the steps.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.backtracking import ANCHORED, Program, _Machine, steps, worst

# Counting steps is slow, and slower on a loaded machine.
pytestmark = pytest.mark.timeout(600)

ROOTS = (Path("functions/proxy"), Path("layers/lambda_asgi"))
# The sources of the page's scripts; those of the libraries in its bundles are not ours.
SCRIPTS = [Path("functions/proxy/tokenwire/web/tokenwire.js"), *Path("page/src").rglob("*.js")]
METHODS = ("match", "fullmatch", "search", "sub", "subn", "split", "findall", "finditer")
_LENGTH = 90
# A square would be 4, less what does not grow.
_DOUBLE = 3.0


@dataclass(frozen=True)
class Found:
    """A pattern in the source, and the method of ``re`` that works hardest with it."""

    where: str
    pattern: str | bytes
    flags: int
    method: str


def _hardest(methods: set[str]) -> str:
    """Of the methods that a pattern is used with; one that is passed on may get any."""
    if not methods or methods - ANCHORED - {"search"}:
        return "finditer"
    return "search" if "search" in methods else min(methods)


@cache
def _nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text())))


def _uses(path: Path) -> dict[str, set[str]]:
    """The methods that are called on each name."""
    found: dict[str, set[str]] = {}
    for node in _nodes(path):
        if (
            isinstance(node, ast.Attribute)
            and node.attr in METHODS
            and isinstance(node.value, ast.Name)
        ):
            found.setdefault(node.value.id, set()).add(node.attr)
    return found


def _calls(path: Path) -> Iterator[tuple[ast.Call, str]]:
    for node in _nodes(path):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.value.id == "re"
            and node.func.attr in (*METHODS, "compile")
        ):
            yield node, node.func.attr


def _everywhere() -> dict[str, set[str]]:
    """The methods that are called on each name in any module: a pattern may be imported."""
    found: dict[str, set[str]] = {}
    for path in (path for root in ROOTS for path in root.rglob("*.py")):
        for name, methods in _uses(path).items():
            found.setdefault(name, set()).update(methods)
    return found


def _in_python(root: Path, path: Path) -> Iterator[Found]:
    uses = {**EVERYWHERE, **_uses(path)}
    name = ".".join(path.relative_to(root).with_suffix("").parts)
    module = None
    named: set[int] = set()
    tree = _nodes(path)[0]
    assert isinstance(tree, ast.Module)
    for node in tree.body:
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
            continue
        value, target = node.value, node.targets[0]
        if ast.unparse(value.func) != "re.compile":
            continue
        module = module or importlib.import_module(name)
        held = getattr(module, ast.unparse(target))
        named.add(id(value))
        methods = uses.get(ast.unparse(target), set())
        yield Found(f"{path.name}:{node.lineno}", held.pattern, held.flags, _hardest(methods))
    for call, method in _calls(path):
        # That of a kind of store is declared as a constant, and found there.
        if id(call) not in named and ast.unparse(call.args[0]) != "self.pattern":
            pattern = _constant(call.args[0])
            yield Found(f"{path.name}:{call.lineno}", pattern, 0, _hardest({method} - {"compile"}))


def _constant(node: ast.expr) -> Any:
    """The pattern, with a word for each text that is put into it; what else is none fails here."""
    match node:
        case ast.BinOp(left=ast.Constant(value=bytes(template)), op=ast.Mod()):
            return template.replace(b"%b", b"word")
    return ast.literal_eval(node)


def _of_store_kinds(path: Path) -> Iterator[Found]:
    """The patterns that kinds of store declare, which one function matches for all."""
    for node in _nodes(path):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "StoreKind":
            [declared] = [word.value for word in node.keywords if word.arg == "pattern"]
            yield Found(f"{path.name}:{node.lineno}", ast.literal_eval(declared), 0, "fullmatch")


_CLASS = r"\[(?:[^\]\\\n]|\\.)*\]"
_JS_PATTERN = re.compile(
    rf"(?<=[(=,\[!&|?: ])/((?:[^/\\\[\n* ]|\\.|{_CLASS})(?:[^/\\\[\n]|\\.|{_CLASS})*)/([a-z]*)"
)


def _in_javascript(path: Path) -> Iterator[Found]:
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if line.lstrip().startswith(("//", "*", "/*")):
            continue
        for match in _JS_PATTERN.finditer(line):
            flags = re.IGNORECASE if "i" in match[2] else 0
            method = "match" if "y" in match[2] else "finditer"
            yield Found(f"{path.name}:{number}", match[1].replace("\\/", "/"), flags, method)


EVERYWHERE = _everywhere()
PYTHON = [f for root in ROOTS for p in sorted(root.rglob("*.py")) for f in _in_python(root, p)]
STORES = [f for root in ROOTS for p in sorted(root.rglob("*.py")) for f in _of_store_kinds(p)]
JAVASCRIPT = [found for path in sorted(SCRIPTS) for found in _in_javascript(path)]


@pytest.mark.parametrize("found", [*PYTHON, *STORES, *JAVASCRIPT], ids=lambda found: found.where)
@pytest.mark.slow
def test_pattern_is_linear(found: Found) -> None:
    """Twice the text, twice the steps, for each text that is made of the pattern's own parts."""
    growth, text = worst(found.pattern, found.flags, found.method, _LENGTH)

    assert growth < _DOUBLE, f"{found.pattern!r}, {found.method}, given {text!r}…"


def test_all_patterns_are_found() -> None:
    """The search for patterns finds those that are there."""
    sources = [path.read_text() for root in ROOTS for path in root.rglob("*.py")]
    call = re.compile(rf"\bre\.(?:compile|{'|'.join(METHODS)})\(")
    calls = sum(len(call.findall(source)) for source in sources)
    assert len(PYTHON) == calls - 1  # the one call for all kinds of store
    assert len(STORES) >= 3
    assert len(JAVASCRIPT) >= 20


@pytest.mark.parametrize(
    ("pattern", "method"),
    [
        (r"(?i)bearer\s+\S+|\beyJ[\w-]+\.[\w-]+\.?[\w-]*", "sub"),  # as it was in the redaction
        (r"(a+)+$", "match"),
        (r"\s+$", "sub"),
        (r"\s*\|?\s*x", "match"),
        (r"\[([^\]]*)\]\(", "search"),
        (r"(`+)([\s\S]+?)\1", "search"),
        (r"^(#{1,6})\s+(.*?)\s*#*$", "match"),
        (r"(?:a|a)*b", "match"),
        (r".*x", "search"),
    ],
)
@pytest.mark.slow
def test_a_pattern_that_is_not_is_reported(pattern: str, method: str) -> None:
    """The check knows the usual mistakes."""
    growth, _ = worst(pattern, 0, method, _LENGTH)
    assert growth > _DOUBLE


@pytest.mark.parametrize(
    ("pattern", "flags", "text"),
    [
        (r"(a|ab)(c|bcd)(d*)", 0, "abcd"),
        (r"(?i)\bsk-[a-z]{2,4}?x", 0, "my SK-abcx"),
        (r"(?<!\\)\|(?=b)", 0, "a|b"),
        (r"(`+)([\s\S]+?)\1", 0, "``a`b``"),
        (r"(?>a+)b|a*+c", 0, "aaac"),
        (r"^(?:x*)*$", 0, "xxx\n"),
        (r".", re.DOTALL, "\n"),
        (r"\B\d[^a-f]\D", 0, "a1zz"),
    ],
)
def test_the_matcher_agrees_with_re(pattern: str, flags: int, text: str) -> None:
    """At each place it finds the end that ``re`` finds."""
    for at in range(len(text) + 1):
        found = re.compile(pattern, flags).match(text, at)
        assert _Machine(text).run(Program.of(pattern, flags).code, at) == (found and found.end())


def test_steps_of_a_plain_text() -> None:
    """A step is an instruction at a place."""
    assert steps("ab", 0, "fullmatch", "ab") == 4
