"""The table of judges, which ``make judges`` compares with ``docs/judges.md`` at its end."""

from __future__ import annotations

from tests.judges.table import BEGIN, END, Row, complete, missing, render, replaced, section


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


def test_the_table_must_show_each_complete_row() -> None:
    """A row that is not in the page is missing; one with a failure or a skip need not be."""
    rows = {"a": Row("its suite", passed=3), "b": Row("its suite", passed=2, failed=1)}
    rows |= {"c": Row("its suite", passed=2, skipped=["no Go here"]), "d": Row("its suite")}
    good = complete(rows)
    page = "\n".join([BEGIN, *render(good), END])

    assert list(good) == ["a"]
    assert missing(page, good) == []
    assert missing(page.replace("3 of 3", "2 of 3"), good) == ["| a | its suite | 3 of 3 cases |"]
    assert missing(page, {}) == []
