"""The fuzz targets, with the stored corpus and with mutations by hypothesis."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS

CORPUS = Path(__file__).with_name("corpus")
KEPT = {name: sorted(path.read_bytes() for path in (CORPUS / name).iterdir()) for name in TARGETS}

# Inputs written by hand; the others were found by make fuzz.
SEEDS = {
    name: [path.read_bytes() for path in sorted((CORPUS / name).glob("[!f]*"))] for name in TARGETS
}


@pytest.mark.parametrize("name", TARGETS)
def test_kept_inputs_hold(name: str) -> None:
    """No input in the corpus, which includes earlier failures, violates a property."""
    assert KEPT[name]
    for data in KEPT[name]:
        TARGETS[name](data)


@st.composite
def mutated(draw: st.DrawFn, name: str) -> bytes:
    """Draw an input with lines removed, repeated, exchanged and overwritten, or any bytes."""
    data = draw(st.sampled_from(KEPT[name]))
    lines = data[1:].splitlines(keepends=True)
    for _ in range(draw(st.integers(0, 4))):
        at = draw(st.integers(0, len(lines)))
        other = draw(st.integers(0, len(lines)))
        match draw(st.sampled_from(["drop", "repeat", "move", "insert", "cut"])):
            case "drop":
                del lines[at : at + 1]
            case "repeat":
                lines[at:at] = lines[other : other + 2]
            case "move":
                lines[at:at] = [lines.pop(other)] if other < len(lines) else []
            case "insert":
                lines.insert(at, draw(st.binary(max_size=12)))
            case _:
                lines[at : at + 1] = [
                    line[: draw(st.integers(0, 40))] for line in lines[at : at + 1]
                ]
    return draw(st.binary(min_size=1, max_size=1)) + b"".join(lines)


@pytest.mark.parametrize("name", TARGETS)
@given(draw=st.data())
def test_mutated_inputs_hold(name: str, draw: st.DataObject) -> None:
    """Mutated inputs violate no property."""
    TARGETS[name](draw.draw(mutated(name)))


@pytest.mark.parametrize("name", TARGETS)
@given(data=st.binary(max_size=200))
def test_any_bytes_hold(name: str, data: bytes) -> None:
    """Arbitrary bytes violate no property."""
    TARGETS[name](data)
