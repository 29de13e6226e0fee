"""Tables in Markdown."""

from __future__ import annotations

import re

_CELLS = re.compile(r"(?<!\\)\|")


def rows(text: str, heading: str) -> list[list[str]]:
    """Return the cells of each row of the first table below a heading, without the table's header.

    Raises:
        ValueError: There is no such heading, or no table below it.
    """
    lines = iter(text.partition(f"\n{heading}\n")[2].splitlines())
    for line in lines:
        if line.startswith("| ---"):
            break
    found = list[list[str]]()
    for line in lines:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in _CELLS.split(line.strip().strip("|"))])
    if not found:
        raise ValueError(f"no table below {heading!r}")
    return found
