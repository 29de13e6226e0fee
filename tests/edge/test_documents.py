"""Statements in the documents about bounds and security name existing tests."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from scripts.site.tables import rows, section
from tests.test_imports import ONLY, TABLE
from tokenwire.settings import Settings
from tokenwire.streams.stream import new_id

ARCHITECTURE = Path("docs/architecture.md").read_text()
OPERATE = Path("docs/operate.md").read_text()
SECURITY = Path("SECURITY.md").read_text()
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")
LINE = re.compile(r"`([\w./]+\.(?:yaml|py))`: `([^`]+)`")


BOUNDS = rows(section(OPERATE, "Bounds"))
STATEMENTS = rows(SECURITY)


def missing(cell: str) -> list[str]:
    """Return the tests and lines named by a cell that do not exist."""
    tests = [
        f"{file}::{name}"
        for file, name in NAMED.findall(cell)
        if not re.search(rf"^(async )?def {name}\(", Path(file).read_text(), re.MULTILINE)
    ]
    return tests + [text for file, text in LINE.findall(cell) if text not in Path(file).read_text()]


@pytest.mark.parametrize("row", BOUNDS, ids=lambda row: row[0])
def test_each_bound_has_its_test(row: list[str]) -> None:
    """Every row names existing tests."""
    assert NAMED.search(row[-1])
    assert missing(row[-1]) == []


@pytest.mark.parametrize("row", STATEMENTS, ids=lambda row: row[0])
def test_each_statement_is_shown(row: list[str]) -> None:
    """Every statement on security names an existing test or line of a file."""
    assert NAMED.search(row[-1]) or LINE.search(row[-1])
    assert missing(row[-1]) == []


def test_tables_are_read() -> None:
    """The tables are read completely, and a wrong name is found."""
    assert len(BOUNDS) > 30
    assert len(STATEMENTS) > 30
    assert missing(
        "`tests/edge/test_documents.py::test_nothing` `template.yaml`: `Nothing: 1`"
    ) == [
        "tests/edge/test_documents.py::test_nothing",
        "Nothing: 1",
    ]


def test_ids_are_random() -> None:
    """Twenty-two characters of base64 are 16 bytes, and no two ids are the same."""
    ids = {new_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert {len(one) for one in ids} == {len("st_") + 22}


def test_settings_of_bounds_exist() -> None:
    """Every named setting exists, and every limiting setting has a row."""
    fields = {field.name for field in msgspec.structs.fields(Settings)}
    named = {name for row in BOUNDS for name in re.findall(r"`([a-z]+_[a-z_]+)`", row[1])}
    assert named <= fields
    assert {name for name in fields if name.startswith("max_")} <= named


def test_table_of_rooms_is_the_one_that_is_checked() -> None:
    """``docs/architecture.md`` lists every room, with the imports that ``test_imports`` permits."""
    text = section(ARCHITECTURE, "The rooms")
    documented = {
        room: set(re.findall(r"[\w.]+", cells[-1]))
        for cells in rows(text)
        for room in re.findall(r"`(\w+)/?`", cells[0])
    }
    permitted = {
        room: set().union(*(ONLY.get((room, other), {other}) for other in others if other))
        for room, others in TABLE.items()
        if room != "__init__"
    }
    assert documented == permitted


def test_modules_of_the_layer_are_listed() -> None:
    """``docs/architecture.md`` lists every module of ``lambda_asgi``, and no other."""
    text = section(ARCHITECTURE, "On Lambda")
    layer = Path("layers/lambda_asgi/lambda_asgi")
    listed = sorted(name for row in rows(text) for name in re.findall(r"`(\w+)`", row[0]))
    present = [*layer.glob("*.py"), *layer.glob("local/*.py")]
    assert listed == sorted(path.stem for path in present if path.stem != "__init__")
