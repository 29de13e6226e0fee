"""What the server serves of the page is what ``page/build.mjs`` makes of ``page/src``."""

from __future__ import annotations

import subprocess
from importlib.resources import files
from pathlib import Path

import pytest

from tests.fakes.node import NODE

BUILT = ("app.js", "docs.js", "markdown.js", "highlight.js", "math.js", "licenses.txt")
WEB = files("tokenwire.web")


@pytest.mark.outside
@pytest.mark.skipif(
    not Path("page/node_modules/esbuild").exists(), reason="skipped: esbuild is not installed"
)
def test_a_build_gives_the_same_bytes(tmp_path: Path) -> None:
    """A new build from the locked packages is what is committed, byte for byte."""
    done = subprocess.run(
        [NODE, "page/build.mjs", tmp_path], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(BUILT)
    for name in BUILT:
        same = (tmp_path / name).read_bytes() == WEB.joinpath(name).read_bytes()
        assert same, f"{name} is older than page/src: run make page"


def test_the_first_page_is_small() -> None:
    """Without a formula and without code to colour, a page loads less than 220 kB of scripts."""
    sizes = {name: len(WEB.joinpath(name).read_bytes()) for name in (*BUILT, "tokenwire.js")}
    first = sizes["app.js"] + sizes["markdown.js"] + sizes["tokenwire.js"]
    assert first < 220_000
    late = [b"/highlight.js", b"/math.js"]
    page = WEB.joinpath("index.html").read_bytes()
    assert not [name for name in late if name in page]


def test_licences_of_others_are_beside_the_bundles() -> None:
    """Each bundled package is named with its version and its licence."""
    text = WEB.joinpath("licenses.txt").read_text()
    for name in ("markdown-it ", "linkify-it ", "highlight.js ", "lowlight ", "temml "):
        assert f"\n{name}" in f"\n{text}"
    assert text.count("Permission is hereby granted") >= 5
