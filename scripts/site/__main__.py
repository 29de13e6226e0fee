"""Write the pages of the documentation site: ``python -m scripts.site FOLDER``.

The hand-written pages are those of ``docs/`` and some other Markdown files of the repository. The
pages of the reference are generated from the code. Zensical builds the site from them.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

from scripts.site.api import api_document, http_page
from scripts.site.errors import errors_page
from scripts.site.links import Links
from scripts.site.python import python_page
from scripts.site.settings import settings_page

# Pages that are not in docs/, by their path in the repository.
ELSEWHERE = {
    "layers/lambda_asgi/README.md": "lambda-asgi.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
}


def write(repository: Path, folder: Path) -> None:
    """Write the sources of the site.

    Args:
        repository: The top folder of tokenwire's repository.
        folder: Where the sources are written; it is emptied first.

    Raises:
        ValueError: A page links to a file that does not exist.
    """
    shutil.rmtree(folder, ignore_errors=True)
    docs = repository / "docs"
    pages = {path: str(path.relative_to(docs)) for path in sorted(docs.rglob("*.md"))}
    pages |= {repository / path: page for path, page in ELSEWHERE.items()}
    generated = _reference(repository)
    shutil.copytree(docs, folder, ignore=shutil.ignore_patterns("*.md"))
    links = Links(repository, pages | {docs / page: page for page in generated}, folder)
    for path, page in pages.items():
        _write(folder / page, links.rewritten(path))
    for page, text in generated.items():
        _write(folder / page, text)


def _reference(repository: Path) -> dict[str, str]:
    operate = (repository / "docs" / "operate.md").read_text()
    return {
        "reference/settings.md": settings_page(operate),
        "reference/errors.md": errors_page(operate),
        "reference/http.md": http_page(api_document()),
        "reference/openapi.json": json.dumps(api_document(), indent=1),
        "reference/python.md": python_page(),
    }


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


if __name__ == "__main__":
    write(Path(), Path(sys.argv[1]))
