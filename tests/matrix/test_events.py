"""Typed events of every recording: split anywhere, and encoded in every dialect and back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.matrix.cases import CASES, HERE, SSE, heard, meaning, recording, split
from tokenwire.dialects import DIALECTS
from tokenwire.events import Citation, Content, Error, Event, Finish, Reasoning, Start, Usage

RECORDINGS = [(name, path.stem) for name in SSE for path in sorted((HERE / name).glob("*.sse"))]
ENCODED = ["chat", "responses", "messages", "events", "ui"]


def decoded(dialect: str, blocks: list[bytes]) -> list[Event]:
    """Decode all events of a stream."""
    decoder = DIALECTS[dialect].decoder()
    return [event for block in blocks for event in decoder.decode(block)]


def encoded(dialect: str, events: list[Event]) -> list[bytes]:
    """Encode a complete stream of these events."""
    encoder = DIALECTS[dialect].encoder()
    blocks = encoder.encode(Start("st_1", "model-x", 1763700000))
    for event in events:
        blocks += encoder.error(event) if isinstance(event, Error) else encoder.encode(event)
    return blocks if any(isinstance(e, Error) for e in events) else blocks + encoder.end()


def test_matrix_is_complete() -> None:
    """Each provider's dialect has a recording of each case, and each names its source."""
    assert {(d, case) for d in SSE for case in CASES} <= set(RECORDINGS)
    assert all(recording(case, d).startswith(b": shape: ") for d, case in RECORDINGS)


@pytest.mark.parametrize(("dialect", "case"), RECORDINGS)
def test_cut_at_every_byte(dialect: str, case: str) -> None:
    """A stream split at any byte has the same events, without the provider's error text."""
    stream = recording(case, dialect)
    complete = decoded(dialect, split(stream))
    for at in range(len(stream) + 1):
        assert decoded(dialect, split(stream[:at], stream[at:])) == complete, at
    assert "secret" not in repr(complete)


@pytest.mark.parametrize("dialect", SSE)
@pytest.mark.parametrize("case", [case for case in CASES if case != "error"])
def test_recording_means_the_case(dialect: str, case: str) -> None:
    """The answer is the same for every provider."""
    assert heard(decoded(dialect, split(recording(case, dialect)))) == meaning(case, dialect)


@pytest.mark.parametrize(("dialect", "case"), RECORDINGS)
def test_notable_blocks_are_not_passed_over(dialect: str, case: str) -> None:
    """A block with a usage, a finish, an error or the terminator is notable; the last one ends."""
    decoder = DIALECTS[dialect].decoder()
    blocks = split(recording(case, dialect))
    for block in blocks:
        events = decoder.decode(block)
        if decoder.ends(block) or any(isinstance(e, Usage | Finish | Error) for e in events):
            assert decoder.notable(block)
    ends = [decoder.ends(block) for block in blocks]
    assert ends == [False] * (len(blocks) - 1) + [case != "error"]


@pytest.mark.parametrize("target", ENCODED)
@pytest.mark.parametrize(("dialect", "case"), RECORDINGS)
def test_translated_and_read_back(dialect: str, case: str, target: str) -> None:
    """Every dialect keeps text, reasoning, calls, usage and finish reason."""
    events = decoded(dialect, split(recording(case, dialect)))
    back = decoded(target, encoded(target, events))
    before, after = heard(events), heard(back)
    if case == "error":  # some providers send counts only with a complete answer
        before, after = replace(before, usage=None), replace(after, usage=None)
    assert after == before
    assert [e for e in back if isinstance(e, Error)] == [] or case == "error"


def test_messages_carry_what_only_they_have() -> None:
    """Signatures, redacted thinking, citations and stop sequences survive their own dialect."""
    for case in ("reasoning", "citation"):
        events = decoded("messages", split(recording(case, "messages")))
        back = decoded("messages", encoded("messages", events))
        kept = (Content, Reasoning, Citation, Finish)
        assert [e for e in back if isinstance(e, kept)] == [
            e for e in events if isinstance(e, kept)
        ]
        (usage,) = {e for e in back if isinstance(e, Usage)} & {
            e for e in events if isinstance(e, Usage)
        }
        assert usage == Usage(57, 17, 32, 4, 5)


def test_responses_number_their_events_without_a_gap() -> None:
    """A resuming client gets exactly the events after its number, with the same items."""
    for dialect, case in RECORDINGS:
        events = decoded(dialect, split(recording(case, dialect)))
        *blocks, done = encoded("responses", events)
        assert done == b"data: [DONE]\n\n"
        numbers = [
            int(block.partition(b'"sequence_number":')[2].split(b",")[0]) for block in blocks
        ]
        assert numbers == list(range(len(blocks)))
