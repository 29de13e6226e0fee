"""The SSE codec, against WHATWG HTML §9.2 and every way to cut a stream."""

from __future__ import annotations

from itertools import pairwise
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tokenwire.sse import (
    PING,
    BlockTooLarge,
    Parser,
    ServerSentEvent,
    Splitter,
    data_of,
    event_of,
    is_data_line,
    without_cursor,
)


def parsed(*chunks: bytes) -> list[ServerSentEvent]:
    """The events of a whole stream."""
    parser = Parser()
    return [event for chunk in chunks for event in parser.feed(chunk)]


def split(*chunks: bytes) -> list[bytes]:
    """The blocks of a whole stream."""
    splitter = Splitter()
    return [block for chunk in chunks for block in splitter.feed(chunk)]


def datas(*chunks: bytes) -> list[str]:
    """The events' data alone."""
    return [event.data for event in parsed(*chunks)]


# --- the specification's own examples ---


def test_whatwg_multi_line_data() -> None:
    """Data lines are joined with a newline."""
    stream = b"data: YHOO\ndata: +2\ndata: 10\n\n"
    assert parsed(stream) == [ServerSentEvent("YHOO\n+2\n10")]


def test_whatwg_four_blocks() -> None:
    """A comment, an event with an id, one that resets it, and one with a leading space."""
    first = b": test stream\n\ndata: first event\nid: 1\n\n"
    stream = first + b"data:second event\nid\n\ndata:  third event\n\n"
    parser = Parser()
    assert parser.feed(stream) == [
        ServerSentEvent("first event", last_event_id="1"),
        ServerSentEvent("second event"),
        ServerSentEvent(" third event"),
    ]
    assert parser.last_event_id == ""


def test_whatwg_empty_data() -> None:
    """Empty data lines make events; a block that never ends does not."""
    assert datas(b"data\n\ndata\ndata\n\ndata:") == ["", "\n"]


def test_whatwg_optional_space() -> None:
    """One space after the colon belongs to the format."""
    assert datas(b"data:test\n\ndata: test\n\n") == ["test", "test"]


# --- rules, one by one ---


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"event: add\ndata: x\n\n", [ServerSentEvent("x", "add")]),
        (b"event: add\n\ndata: x\n\n", [ServerSentEvent("x")]),
        (b"event:\ndata: x\n\n", [ServerSentEvent("x")]),
        (b"id: 1\n\ndata: x\n\n", [ServerSentEvent("x", last_event_id="1")]),
        (b"id: 1\0\ndata: x\n\n", [ServerSentEvent("x")]),
        (b"id: 1\n\nid: 2\0\ndata: x\n\n", [ServerSentEvent("x", last_event_id="1")]),
        (b"unknown: y\ndata: x\n\n", [ServerSentEvent("x")]),
        (b"Data: y\ndata: x\n\n", [ServerSentEvent("x")]),
        (b": c\ndata: x\n\n", [ServerSentEvent("x")]),
        (b"data: a: b\n\n", [ServerSentEvent("a: b")]),
        (b"\n\n\ndata: x\n\n\n\n", [ServerSentEvent("x")]),
        (b"data: \xff\n\n", [ServerSentEvent("�")]),
        (b"\xef\xbb\xbfdata: x\n\n", [ServerSentEvent("x")]),
        (b"\xef\xbb\xbf\xef\xbb\xbfdata: x\n\ndata: y\n\n", [ServerSentEvent("y")]),
        (b"data: x\n\n\xef\xbb\xbfdata: y\n\n", [ServerSentEvent("x")]),
        (b"data: a\x0bb\xc2\x85c\n\n", [ServerSentEvent("a\x0bb\x85c")]),
        (b"data: x\n", []),
        (b": only a comment\n\n", []),
        (b"retry: 5\n\n", []),
    ],
)
def test_rules(stream: bytes, events: list[ServerSentEvent]) -> None:
    """Each rule of the interpretation, in the smallest stream that shows it."""
    assert parsed(stream) == events


@pytest.mark.parametrize(
    ("line", "time"),
    [
        (b"5", 5),
        (b"0012", 12),
        (b"+5", None),
        (b"5s", None),
        (b"", None),
        (b"\xd9\xa3", None),
        (b"9" * 5_000, None),
    ],
)
def test_retry_takes_ascii_digits(line: bytes, time: int | None) -> None:
    """Anything else in ``retry`` is ignored, and so is a wait beyond all measure."""
    parser = Parser()
    parser.feed(b"retry: " + line + b"\n\n")
    assert parser.reconnection_time == time


def test_unfinished_block_keeps_only_retry() -> None:
    """At the end of the stream a block without its blank line is dropped, its retry is not."""
    parser = Parser()
    assert parser.feed(b"id: 1\nretry: 7\ndata: x") == []
    parser.close()
    assert (parser.last_event_id, parser.reconnection_time) == ("", 7)


def test_single_newline_ping_is_harmless() -> None:
    """A heartbeat between blocks changes nothing, wherever it comes."""
    assert datas(PING, b"id: 1\ndata: x\n\n", PING, PING, b"data: y\n\n") == ["x", "y"]


# --- any cut, any line end ---

LINES = st.lists(
    st.sampled_from(
        [
            "data: x",
            "data:  ü☃🎈",
            "data",
            "id: 7",
            "id: a\0b",
            "id",
            "event: e",
            "retry: 3",
            ": c",
            "",
        ]
    ),
    max_size=12,
)
ENDS = st.sampled_from(["\n", "\r\n", "\r"])


def cuts(stream: bytes, places: list[int]) -> list[bytes]:
    """The stream, cut at these places."""
    marks = sorted({0, len(stream), *(place % (len(stream) + 1) for place in places)})
    return [stream[a:b] for a, b in pairwise(marks)]


@given(
    LINES, st.lists(ENDS, min_size=24, max_size=24), st.booleans(), st.lists(st.integers(0, 500))
)
def test_any_cut_gives_same_events(
    lines: list[str], ends: list[str], bom: bool, places: list[int]
) -> None:
    """Whatever the line ends, however the bytes are cut: the same events, the same id."""
    text = "".join(line + end for line, end in zip([*lines, "", ""], ends, strict=False))
    stream = (b"\xef\xbb\xbf" if bom else b"") + text.encode()
    whole, pieces = Parser(), Parser()

    expected = whole.feed(stream)
    got = [event for chunk in cuts(stream, places) for event in pieces.feed(chunk)]

    assert got == expected
    assert pieces.last_event_id == whole.last_event_id
    assert pieces.reconnection_time == whole.reconnection_time


@given(LINES, ENDS, st.lists(st.integers(0, 500)))
def test_line_ends_mean_the_same(lines: list[str], end: str, places: list[int]) -> None:
    """CR, LF and CRLF streams of the same lines say the same."""
    plain = "".join(f"{line}\n" for line in [*lines, "", ""]).encode()
    other = "".join(f"{line}{end}" for line in [*lines, "", ""]).encode()

    assert parsed(*cuts(other, places)) == parsed(plain)


@given(LINES, ENDS, st.lists(st.integers(0, 500)))
def test_splitter_keeps_bytes(lines: list[str], end: str, places: list[int]) -> None:
    """Joined blocks have the events of the stream, and each block has its own."""
    stream = "".join(f"{line}{end}" for line in [*lines, "", ""]).encode()

    blocks = split(*cuts(stream, places))

    assert parsed(*blocks) == parsed(stream)
    assert b"".join(b"".join(blocks).split()) == b"".join(stream.split())
    assert all(block[0] not in b"\r\n" for block in blocks)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_every_single_cut(end: bytes) -> None:
    """A stream cut once at each byte gives the same blocks, byte for byte."""
    stream = b"data: \xe2\x98\x83" + end + b"id: 1" + end * 2 + b"data: y" + end * 2
    expected = split(stream)
    assert len(expected) == 2

    for at in range(len(stream) + 1):
        assert split(stream[:at], stream[at:]) == expected
    assert split(*(stream[n : n + 1] for n in range(len(stream)))) == expected


@pytest.mark.parametrize("blank", [b"\n\r\n", b"\r\n\n", b"\r\n\r", b"\n\r", b"\r\r\n"])
def test_every_cut_of_mixed_ends(blank: bytes) -> None:
    """Where two kinds of line end meet, a cut may cost a block its last LF, but no meaning."""
    stream = b"data: x" + blank + b"data: y" + blank
    for at in range(len(stream) + 1):
        blocks = split(stream[:at], stream[at:])
        assert [data_of(block) for block in blocks] == [b"x", b"y"]
        assert datas(stream[:at], stream[at:]) == ["x", "y"]


def test_block_comes_with_its_last_byte() -> None:
    """A block is not held back for a byte that may never come."""
    splitter = Splitter()
    assert splitter.feed(b"data: x\r\n\r") == [b"data: x\r\n\r\n"]
    assert splitter.feed(b"\ndata: y\n\n") == [b"data: y\n\n"]
    assert splitter.feed(b"data: z\r\r") == [b"data: z\r\r"]


def test_close_gives_the_rest() -> None:
    """What came after the last blank line is handed over, a held-back BOM's start too."""
    splitter = Splitter()
    splitter.feed(b"data: x\n\ndata: y")
    assert splitter.close() == b"data: y"
    splitter = Splitter()
    assert splitter.feed(b"\xef\xbb") == []
    assert splitter.close() == b"\xef\xbb"


# --- bounds ---


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_oversize_block_is_refused(size: int) -> None:
    """A block over the bound is refused, in one piece or many, ended or not."""
    for stream in (b"data: " + b"x" * 200, b"data: " + b"x" * 200 + b"\n\n"):
        splitter = Splitter(max_block=100)
        pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
        with pytest.raises(BlockTooLarge):
            list(map(splitter.feed, pieces))


@pytest.mark.parametrize("end", [b"\n\n", b"\r\n\r\n"])
@pytest.mark.parametrize("excess", [0, 1])
def test_bound_is_the_same_for_any_cut(end: bytes, excess: int) -> None:
    """A block of just the bound is taken, one byte more is not, wherever it is cut."""
    stream = b"data: " + b"x" * (94 - len(end) + excess) + end
    for at in range(len(stream)):
        splitter, pieces = Splitter(max_block=100), (stream[:at], stream[at:])
        if excess:
            with pytest.raises(BlockTooLarge):
                list(map(splitter.feed, pieces))
        else:
            assert [b for piece in pieces for b in splitter.feed(piece)] == [stream]


@pytest.mark.parametrize("head", [b"data: ", b": c\r\ndata: "])
def test_cost_grows_with_size_only(head: bytes) -> None:
    """Four times the block, byte by byte, costs about four times as much, not sixteen."""

    def cost(size: int) -> float:
        splitter = Splitter()
        splitter.feed(head)
        started = process_time()
        for _ in range(size):
            splitter.feed(b"x")
        return process_time() - started

    # The least of several is the one that nothing else has disturbed.
    small, large = (min(cost(size) for _ in range(4)) for size in (20_000, 80_000))
    assert large / small < 10


@pytest.mark.parametrize("end", [b"", b"\n\n", b"\r\n\r\n"])
def test_oversize_block_leaves_those_before_it(end: bytes) -> None:
    """What was whole before a block that is too large, in the same read, is not lost."""
    before = [b"data: x\n\n", b"data: y\n\n"]
    with pytest.raises(BlockTooLarge) as caught:
        Splitter(max_block=100).feed(b"".join(before) + b"data: " + b"x" * 200 + end)
    assert caught.value.blocks == before


def test_event_name() -> None:
    """The last ``event`` line counts, with or without its space."""
    assert event_of(b"data: x\n\n") == b""
    assert event_of(b": event: c\ndata: x\n\n") == b""
    assert event_of(b"event: a\r\nevent:b\r\ndata: x\r\n\r\n") == b"b"


def test_bound_is_per_block() -> None:
    """Many blocks under the bound may come at once."""
    assert len(Splitter(max_block=20).feed(b"data: x\n\n" * 1000)) == 1000


# --- blocks ---


@pytest.mark.parametrize(
    ("block", "data"),
    [
        (b"data: x\n\n", b"x"),
        (b"data:x\r\ndata: y\r\n\r\n", b"x\ny"),
        (b"data\n\n", b""),
        (b": c\n\n", None),
        (b"event: e\nid: 1\n\n", None),
        (b"database: x\n\n", None),
    ],
)
def test_data_of(block: bytes, data: bytes | None) -> None:
    """A block's data, or None where it has no data line."""
    assert data_of(block) == data


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_without_cursor(end: bytes) -> None:
    """Id and retry lines go, whatever ends them; all else stays, in order."""
    lines = [b"id: 9", b"id: 8", b"data: id: 1", b"retry: 5", b"id", b"ids: 2", b"event: e", b""]
    kept = [b"data: id: 1", b"ids: 2", b"event: e", b""]
    assert without_cursor(end.join(lines) + end) == end.join(kept) + end
    assert without_cursor(b"data: x\n\n") == b"data: x\n\n"


def test_without_cursor_keeps_line_ends_apart() -> None:
    """A CR before the lines and an LF after them stay two line ends, so the block stays ended."""
    assert without_cursor(b"data: x\rid: 1\nretry: 2\n\n") == b"data: x\r:\n\n"


@given(LINES, st.lists(ENDS, min_size=24, max_size=24))
def test_block_helpers_agree_with_parser(lines: list[str], ends: list[str]) -> None:
    """A block's data is what a client gets; without a cursor it gets no id, but the same data."""
    text = "".join(line + end for line, end in zip([*lines, "", ""], ends, strict=False))
    for block in split(text.encode()):
        data = data_of(block)
        assert datas(block) == ([] if data is None else [data.decode()])

        bare = without_cursor(block)
        parser = Parser()
        assert [e.data for e in parser.feed(bare)] == datas(block)
        assert (parser.last_event_id, parser.reconnection_time) == ("", None)
        assert data is None or len(split(bare)) == 1


def test_block_of_one_data_line_is_known() -> None:
    """Another line makes it a block that must be read."""
    assert is_data_line(b"data: x\n\n")
    assert not is_data_line(b"id: 7\ndata: x\n\n")
