"""Links between Markdown files of the repository, rewritten for the site."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path

_LINK = re.compile(r"(\]\()([^)\s]+)(\))")
_CODE = re.compile(r"(^```.*?^```|`[^`\n]*`)", re.DOTALL | re.MULTILINE)
_TEXTS = {
    ".md",
    ".py",
    ".js",
    ".mjs",
    ".ts",
    ".toml",
    ".yaml",
    ".yml",
    ".json",
    ".html",
    ".sh",
    ".conf",
    ".txt",
}


class Links:
    """Rewrites the links of pages.

    A link to another page of the site stays a link between pages. Any other file of the repository
    is copied to ``source/`` of the site, so that the site is complete without a network.

    Args:
        repository: The top folder of the repository.
        pages: For each Markdown file that becomes a page, the path of its page. The files of
            generated pages do not exist.
        folder: Where the sources of the site are written.
    """

    def __init__(self, repository: Path, pages: Mapping[Path, str], folder: Path) -> None:
        self._repository = repository.resolve()
        self._pages = {path.resolve(): page for path, page in pages.items()}
        self._folder = folder

    def rewritten(self, path: Path) -> str:
        """Return the text of a page with its links rewritten.

        Raises:
            ValueError: A link leads to a file that does not exist.
        """
        parts = _CODE.split(path.read_text())
        # Every second part is code, which has no links.
        parts[::2] = [
            _LINK.sub(lambda m: self._link(m, path.resolve()), text) for text in parts[::2]
        ]
        return "".join(parts)

    def _link(self, match: re.Match[str], source: Path) -> str:
        before, target, after = match.groups()
        name, sharp, anchor = target.partition("#")
        if not name or "://" in name or name.startswith("mailto:"):
            return match.group()
        found = (source.parent / name).resolve()
        page = self._pages.get(found) or self._copy(found, f"{source}: {target}")
        relative = os.path.relpath(page, Path(self._pages[source]).parent)
        return f"{before}{relative}{sharp}{anchor}{after}"

    def _copy(self, found: Path, link: str) -> str:
        """Return the path on the site of a file that is not a page."""
        if not found.exists() or self._repository not in found.parents:
            raise ValueError(f"{link} does not exist")
        inside = found.relative_to(self._repository)
        if inside.parts[:2] == ("docs", "images"):
            return str(inside.relative_to("docs"))
        if found.is_dir():
            return self._listing(found, inside)
        # Browsers show plain text, and would download or run other types.
        copy = Path("source", str(inside) + (".txt" if found.suffix in _TEXTS else ""))
        (self._folder / copy).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(found, self._folder / copy)
        return str(copy)

    def _listing(self, found: Path, inside: Path) -> str:
        listing = Path("source", inside, "index.txt")
        (self._folder / listing).parent.mkdir(parents=True, exist_ok=True)
        names = sorted(
            path.name for path in found.iterdir() if not path.name.startswith((".", "_"))
        )
        (self._folder / listing).write_text("\n".join([f"{inside}/", *names, ""]))
        return str(listing)
