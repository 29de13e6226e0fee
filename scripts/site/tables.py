"""Sections and tables in Markdown."""

from __future__ import annotations

import re

_CELLS = re.compile(r"(?<!\\)\|")


def section(text: str, heading: str) -> str:
    """Return what is below a heading of the second level, up to the next one.

    Raises:
        ValueError: There is no such heading.
    """
    _, found, rest = f"\n{text}".partition(f"\n## {heading}\n")
    if not found:
        raise ValueError(f"no heading {heading!r}")
    return rest.partition("\n## ")[0]


def rows(text: str) -> list[list[str]]:
    """Return the cells of each row of all tables in a text, without the tables' headers."""
    found, in_body = list[list[str]](), False
    for line in text.splitlines():
        if not line.startswith("|"):
            in_body = False
        elif line.startswith("| ---"):
            in_body = True
        elif in_body:
            found.append([cell.strip() for cell in _CELLS.split(line.strip().strip("|"))])
    return found
