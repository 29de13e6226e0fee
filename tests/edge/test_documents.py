"""What the documents say about bounds and security, held against the tests that show it."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from tokenwire.settings import Settings

OPERATE = Path("docs/operate.md").read_text()
SECURITY = Path("SECURITY.md").read_text()
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


def rows(section: str) -> list[list[str]]:
    """The cells of the table below a heading, without its head."""
    text = OPERATE.split(f"## {section}\n")[1].split("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines[2:]]


BOUNDS = rows("Bounds")


@pytest.mark.parametrize("row", BOUNDS, ids=lambda row: row[0])
def test_each_bound_has_its_test(row: list[str]) -> None:
    """Every row names tests that are there."""
    tests = NAMED.findall(row[-1])
    assert tests
    for file, name in tests:
        assert re.search(rf"^(async )?def {name}\(", Path(file).read_text(), re.MULTILINE), name


def test_settings_of_bounds_exist() -> None:
    """A bound that can be set is a setting, and every setting that bounds has its row."""
    fields = {field.name for field in msgspec.structs.fields(Settings)}
    named = {name for row in BOUNDS for name in re.findall(r"`([a-z]+_[a-z_]+)`", row[1])}
    assert named <= fields
    assert {name for name in fields if name.startswith("max_")} <= named
