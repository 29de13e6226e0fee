"""One scripted Runtime API against lambda_asgi and AWS's own runtimes: ``make differential``."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.differential.recorded import Answer, Recorder
from tests.differential.runtimes import RUNTIMES, NotHere, Runtime, answers
from tests.differential.scenes import ROWS
from tests.differential.table import BEGIN, END, cells, read, write

README = Path("layers/lambda_asgi/README.md")
OURS, *OTHERS = RUNTIMES


async def test_ours_is_right_in_every_row(tmp_path: Path) -> None:
    """What the README's table claims for lambda_asgi, read off the bytes that it sends."""
    found = cells(await answers(OURS, tmp_path))
    titles = [row.title for row in ROWS]
    assert dict(zip(titles, found, strict=True)) == {row.title: row.right for row in ROWS}
    assert shown(OURS, found) == found


@pytest.mark.judge
@pytest.mark.timeout(180)
@pytest.mark.parametrize("runtime", OTHERS, ids=lambda runtime: runtime.title)
async def test_the_readme_shows_what_others_do(runtime: Runtime, tmp_path: Path) -> None:
    """Each runtime's column is what it sent here; ``WRITE=1`` puts it there."""
    try:
        found = cells(await answers(runtime, tmp_path))
    except NotHere as why:
        pytest.skip(f"skipped: {why}")
    assert shown(runtime, found) == found


def shown(runtime: Runtime, found: Sequence[str]) -> Sequence[str]:
    """The runtime's column in the README, after it was written if that is wanted."""
    if os.environ.get("DIFFERENTIAL") == "write":
        order = [runtime.title for runtime in RUNTIMES]
        README.write_text(write(README.read_text(), {runtime.title: found}, order))
    return read(README.read_text()).get(runtime.title, [])


def test_recorder_reads_requests_cut_anywhere() -> None:
    """The judge's own reader: chunks, trailers, and where the next request begins."""
    head = b"POST /2018-06-01/runtime/invocation/a/response HTTP/1.1\r\nTransfer-Encoding: chunked"
    raw = head + b"\r\n\r\n9\r\n{}\0\0\0\0\0\0\0\r\n3\r\n\0hi\r\n0\r\nX-A: 1\r\n\r\nGET /"
    for cut in range(len(raw) + 1):
        recorder = Recorder()
        recorder.feed(raw[:cut])
        recorder.feed(raw[cut:])
        assert (recorder.complete, recorder.rest) == (True, b"GET /")
        assert (recorder.trailers, recorder.trailer_bytes) == ({"x-a": "1"}, 8)
        assert Answer.of(recorder, "complete").kind == "response"
        assert bytes(recorder.body).endswith(b"\0hi")


def test_columns_of_runtimes_that_did_not_run_stay() -> None:
    """A table that is written keeps what another machine found."""
    page = write(f"a\n{BEGIN}\n{END}\nb\n", {"x": ["1"] * len(ROWS)}, ["x", "y"])
    both = write(page, {"y": ["2"] * len(ROWS)}, ["y", "x"])
    assert read(both) == {"y": ["2"] * len(ROWS), "x": ["1"] * len(ROWS)}
    assert both.startswith("a\n")
    assert both.endswith("\nb\n")
