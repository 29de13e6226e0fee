"""What the benchmarks make of their measurements: tables, the plot, the page."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

from benchmarks import document, plot, tables
from benchmarks.measure import Results
from benchmarks.processes import Running, family

SVG = "{http://www.w3.org/2000/svg}"


def measured() -> Results:
    """Two rounds of two subjects; a third one has no result."""
    results = Results()
    for name, costs in {"Go net/http": (30.0, 50.0), "tokenwire": (50.0, 70.0)}.items():
        for cost in costs:
            found = {"cpu_us_per_block": cost, "blocks_per_second": 9_900.0, "delay_ms_p99": 1.0}
            results.found[name, "paced 200"].append(found | {"generator_share": 0.25})
    results.missing["LiteLLM, paced 200"] = "no end within 90 s"
    return results


def test_table_has_medians_ratios_and_dashes() -> None:
    """A subject without a result has a dash, and the page says why."""
    results = measured()
    columns = tables.paced(results, 200) | {
        "times Go": tables.ratio(results, "paced 200", "cpu_us_per_block", "Go net/http")
    }
    rows = tables.table(["tokenwire", "LiteLLM"], columns).splitlines()
    assert rows[2:] == ["| tokenwire | 60.0 | 99% | 1.0 | 1.5 |", "| LiteLLM | - | - | - | - |"]
    page = document.section(results, 3.0)
    assert "- LiteLLM, paced 200: no end within 90 s" in page
    assert "load was 3.0" in page
    assert "used 25% at most" in page


def test_plot_is_readable_on_light_and_dark_pages() -> None:
    """It is SVG with one bar for each value, longer for more, and it has colours for both."""
    text = plot.bars("CPU", "note", {"nginx": 20.0, "ours <&>": 60.0, "theirs": 1200.0}, "ours <&>")
    root = ElementTree.fromstring(text)
    bars = [one for one in root.iter(f"{SVG}rect") if one.get("class") in ("bar", "own")]
    widths = [float(one.get("width") or 0) for one in bars]
    assert len(widths) == 3
    assert widths == sorted(widths)
    assert [one.get("class") for one in bars] == ["bar", "own", "bar"]
    assert "prefers-color-scheme: dark" in text


def test_page_has_the_place_for_the_tables() -> None:
    """``make bench-peers`` replaces what is between two comments, which are there once."""
    text = Path("docs/benchmarks.md").read_text()
    assert text.count("<!-- written by make bench-peers -->\n") == 1
    assert text.count("<!-- end -->\n") == 1


def test_a_subject_is_its_process_with_all_that_it_has_started() -> None:
    """CPU time and memory are those of workers and helpers too."""
    program = "import subprocess, sys; subprocess.run(['sleep', '60'])"
    with subprocess.Popen([sys.executable, "-c", program]) as process:
        try:
            while len(found := family(process.pid)) < 2:
                os.sched_yield()
            subject = Running("python", 0, process.pid)
            assert subject.pids() == found
            assert subject.cpu() > 0
            assert subject.memory() > 2**20
        finally:
            for pid in reversed(family(process.pid)):
                os.kill(pid, 9)
