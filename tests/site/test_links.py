"""Links between Markdown files, as the site has them."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.site.links import Links


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with two pages, a program and a picture."""
    top = tmp_path / "top"
    (top / "docs" / "images").mkdir(parents=True)
    (top / "README.md").write_text("# Top")
    (top / "docs" / "images" / "a.svg").write_text("<svg/>")
    (top / "program.py").write_text("print()")
    (tmp_path / "outside.txt").write_text("not ours")
    return top


def rewritten(repository: Path, text: str) -> str:
    """Return the text of a page below ``docs/guide`` as the site has it."""
    page = repository / "docs" / "guide" / "page.md"
    page.parent.mkdir()
    page.write_text(text)
    pages = {page: "guide/page.md", repository / "README.md": "top.md"}
    return Links(repository, pages, repository.parent / "site").rewritten(page)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("[a](../../README.md#x)", "[a](../top.md#x)"),
        ("[a](#here)", "[a](#here)"),
        ("[a](https://example.com/b.md)", "[a](https://example.com/b.md)"),
        ("![a](../images/a.svg)", "![a](../images/a.svg)"),
        ("[a](../../program.py)", "[a](../source/program.py.txt)"),
        ("`[a](nothing.md)`", "`[a](nothing.md)`"),
        ("```\n[a](nothing.md)\n```", "```\n[a](nothing.md)\n```"),
    ],
)
def test_link(repository: Path, given: str, expected: str) -> None:
    """Pages, anchors, other sites, pictures, source files, and text in code."""
    assert rewritten(repository, given) == expected


def test_source_is_copied(repository: Path) -> None:
    """A linked file is a part of the site, as plain text."""
    rewritten(repository, "[a](../../program.py) [b](../images)")
    source = repository.parent / "site" / "source"
    assert (source / "program.py.txt").read_text() == "print()"


@pytest.mark.parametrize("link", ["nothing.md", "../../../outside.txt"])
def test_broken_link_is_an_error(repository: Path, link: str) -> None:
    """A file that does not exist, and one that is not in the repository."""
    with pytest.raises(ValueError, match=r"page\.md: .* does not exist"):
        rewritten(repository, f"[a]({link})")
