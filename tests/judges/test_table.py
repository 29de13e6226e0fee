"""``docs/judges.md`` shows the results of the judges.

The module's name makes it run last.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.judges.table import BEGIN, END, Row, render, replaced, section

PAGE = Path("docs/judges.md")


def test_rows_say_how_it_came_out() -> None:
    """Figures where the judge has some, a count otherwise; a reason for what did not run."""
    rows = {
        "b": Row("its suite", "5 of 6", failed=1),
        "a": Row("its suite", passed=3),
        "c": Row("its suite", skipped=["no Node here"]),
        "d": Row("its suite"),
        "e": Row("its suite", passed=2, skipped=["no Go here", "no Go here"]),
    }
    assert render(rows)[2:] == [
        "| a | its suite | 3 of 3 cases |",
        "| b | its suite | FAILED: 5 of 6 |",
        "| c | its suite | no Node here |",
        "| d | its suite | did not run |",
        "| e | its suite | 2 of 2 cases; 2 skipped: no Go here |",
    ]


def test_a_table_is_replaced_in_its_place() -> None:
    """What stands around it stays, and so do the rows of judges that have not run."""
    head = ["| Judge |", "| --- |"]
    page = "before\n\n" + "\n".join([BEGIN, *head, "| a | old |", "| b | old |", END, "\nafter\n"])
    assert section(page) == [*head, "| a | old |", "| b | old |"]
    assert replaced(page, [*head, "| b | new |"]) == page.replace("| b | old |", "| b | new |")


@pytest.mark.judge
def test_the_page_shows_this_table(rows: dict[str, Row]) -> None:
    """Each row that is good, and whole here, is in the page; ``WRITE=1`` puts it there."""
    ran = {n: row for n, row in rows.items() if row.passed and not (row.failed or row.skipped)}
    if not ran or os.environ.get("JUDGES") is None:
        pytest.skip("make judges compares the page")
    text = PAGE.read_text()
    if os.environ["JUDGES"] == "write":
        PAGE.write_text(replaced(text, render(ran)))
        return
    missing = [line for line in render(ran) if line not in section(text)]
    assert not missing, "make judges WRITE=1 puts them into the page"
