"""Every error code that the package emits is in ``docs/operate.md``, and the other way round."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path("functions/proxy/tokenwire")
DOCS = Path("docs/operate.md")
_TABLES = re.compile(r"(?:upstream|timeout)_[a-z_]+")
NOT_CODES = {"timeout_error"}  # a type of Anthropic's
# Of what never reaches a caller: an invocation, or a start, that is refused.
INSIDE = {"unsupported_event", "refuse_to_start"}


@cache
def emitted() -> frozenset[str]:
    """The codes in the source: given by name, of an event, by default, or in a table of errors."""
    trees = [ast.parse(path.read_text()) for path in sorted(PACKAGE.rglob("*.py"))]
    found = frozenset(code for tree in trees for node in ast.walk(tree) for code in _codes(node))
    return found - NOT_CODES - INSIDE


def _codes(node: ast.AST) -> Iterator[str]:
    match node:
        case ast.keyword(arg="code", value=value):
            yield from _texts(value)
        case ast.Call(func=ast.Name(id="Error"), args=[value, *_]):
            yield from _texts(value)
        case ast.AnnAssign() | ast.Assign() if "default_code" in ast.unparse(node).split(" = ")[0]:
            yield from _texts(node.value)
        case ast.Assign(
            targets=[ast.Name(id="_CODES")],
            value=ast.Dict(keys=[ast.Constant(value=str()), *_], values=codes),
        ):
            yield from (code for value in codes for code in _texts(value))
        case ast.Constant(value=str(text)) if _TABLES.fullmatch(text):
            yield text


def _texts(value: ast.AST | None) -> Iterator[str]:
    """The text, or both of a choice between two."""
    match value:
        case ast.Constant(value=str(text)):
            yield text
        case ast.IfExp(body=one, orelse=other):
            yield from _texts(one)
            yield from _texts(other)


def documented() -> list[str]:
    """The codes in the first column of the table."""
    _, _, table = DOCS.read_text().partition("## Error codes")
    rows = [line for line in table.splitlines() if line.startswith("| `")]
    return [code for row in rows for code in re.findall(r"`([a-z_0-9]+)`", row.split("|")[1])]


def test_codes_are_documented_once() -> None:
    """The list has every code that is emitted, and no other."""
    found = documented()
    assert sorted(found) == sorted(set(found))
    assert set(found) - emitted() == set()
    assert emitted() - set(found) == set()


def test_the_search_finds_them() -> None:
    """In each of the ways in which a code is written."""
    assert {"invalid_json", "cancelled", "internal_error", "upstream_quota", "timeout_idle"} <= (
        emitted()
    )
