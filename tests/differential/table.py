"""The table in the layer's README: a line for each row, a column for each runtime."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.differential.scenes import ROWS, Answers

BEGIN, END = "<!-- differential -->", "<!-- /differential -->"

Columns = Mapping[str, Sequence[str]]
"""The cells of each runtime, by its title."""


def cells(answers: Answers) -> list[str]:
    """A runtime's column."""
    return [row.read(answers) for row in ROWS]


def read(page: str) -> dict[str, list[str]]:
    """The columns of the table on a page; none where it has no such rows."""
    lines = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in page.partition(BEGIN)[2].partition(END)[0].strip().splitlines()
    ]
    if [line[0] for line in lines[2:]] != [row.title for row in ROWS]:
        return {}
    return {title: [line[n] for line in lines[2:]] for n, title in enumerate(lines[0]) if n}


def write(page: str, columns: Columns, order: Sequence[str]) -> str:
    """The page with these columns; those of runtimes that did not run stay as they were."""
    found = {**read(page), **columns}
    titles = [title for title in order if title in found]
    lines = [["", *titles], ["---"] * (len(titles) + 1)]
    lines += [[row.title, *(found[title][n] for title in titles)] for n, row in enumerate(ROWS)]
    before, _, rest = page.partition(BEGIN)
    table = "".join(f"| {' | '.join(line)} |\n" for line in lines)
    return f"{before}{BEGIN}\n{table}{END}{rest.partition(END)[2]}"
