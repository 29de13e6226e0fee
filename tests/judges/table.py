"""The table of judges: one row for each, at the end of a run and in docs/judges.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

BEGIN, END = "<!-- judges -->", "<!-- /judges -->"
_HEAD = ("Judge", "What it checks", "Result")


@dataclass(slots=True)
class Row:
    """One judge, and how its tests came out.

    Args:
        checks: What it checks, in a few words.
        verdict: Its own figures; empty for a count of its tests.
        passed: Tests that passed.
        failed: Tests that failed.
        skipped: The reasons of tests that were skipped.
    """

    checks: str
    verdict: str = ""
    passed: int = 0
    failed: int = 0
    skipped: list[str] = field(default_factory=list)

    @property
    def result(self) -> str:
        """The row's last cell."""
        ran = self.passed + self.failed
        if not ran:
            return self.skipped[0] if self.skipped else "did not run"
        found = self.verdict or f"{self.passed} of {ran} cases"
        if self.skipped:
            found += f"; {len(self.skipped)} skipped: {', '.join(sorted(set(self.skipped)))}"
        return f"FAILED: {found}" if self.failed else found


def render(rows: Mapping[str, Row]) -> list[str]:
    """The table's lines, in Markdown."""
    cells = [_HEAD, ("---",) * 3, *sorted((n, r.checks, r.result) for n, r in rows.items())]
    return [f"| {' | '.join(line)} |" for line in cells]


def section(text: str) -> list[str]:
    """The lines of a page's table, without its marks."""
    return text.partition(BEGIN)[2].partition(END)[0].strip().splitlines()


def complete(rows: Mapping[str, Row]) -> dict[str, Row]:
    """The rows of judges all of whose tests ran, and passed."""
    return {n: row for n, row in rows.items() if row.passed and not (row.failed or row.skipped)}


def missing(text: str, rows: Mapping[str, Row]) -> list[str]:
    """The lines of these rows that a page's table does not have."""
    shown = section(text)
    return [line for line in render(rows) if line not in shown] if rows else []


def replaced(text: str, lines: Iterable[str]) -> str:
    """The page with these lines in its table; rows of judges that did not run now stay."""
    lines = list(lines)
    ran = {line.split("|")[1] for line in lines}
    kept = [line for line in section(text) if line.split("|")[1] not in ran]
    lines = [*lines[:2], *sorted([*lines[2:], *kept])]
    before, _, rest = text.partition(BEGIN)
    return f"{before}{BEGIN}\n" + "".join(f"{x}\n" for x in lines) + END + rest.partition(END)[2]
