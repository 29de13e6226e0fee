"""The site is complete: each setting, error code, route and public name, and no broken link."""

from __future__ import annotations

import json
import os
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urldefrag, urlsplit

import msgspec
import pytest

import lambda_asgi
from scripts.site.__main__ import write
from scripts.site.python import PUBLIC
from tests.test_error_codes import documented
from tokenwire.registries import Registries
from tokenwire.settings import Settings

ZENSICAL = Path(".cache/docs/bin/zensical").resolve()

pytestmark = [
    pytest.mark.outside,
    pytest.mark.xdist_group("site"),
    pytest.mark.skipif(not ZENSICAL.exists(), reason="the site's generator is not installed"),
]


class Page(HTMLParser):
    """What a page of the site links to, loads, and can be linked to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect the attributes that name other files."""
        given = {name: value or "" for name, value in attrs}
        if "id" in given:
            self.anchors.add(given["id"])
        if tag == "a" and "href" in given:
            self.links.append(given["href"])
        if tag in {"img", "script", "source"} and "src" in given:
            self.loads.append(given["src"])
        if tag == "link" and given.get("rel") in {"stylesheet", "icon"}:
            self.loads.append(given["href"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site strictly, in a folder of its own."""
    folder = tmp_path_factory.mktemp("site")
    write(Path(), folder / "source")
    (folder / "zensical.toml").write_text(_configuration())
    command = [str(ZENSICAL), "build", "--strict"]
    built = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder / "html"


def _configuration() -> str:
    """The project's configuration, with the paths of this build."""
    text = Path("zensical.toml").read_text().replace(".cache/site/", "")
    for package in ("functions/proxy", "layers/lambda_asgi"):
        text = text.replace(f'"{package}"', f'"{Path(package).resolve()}"')
    return text


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[Path, Page]:
    """Every page, by its path on the site."""
    found = sorted(site.rglob("*.html"))
    return {path.relative_to(site): Page(path.read_text()) for path in found}


def test_each_setting_has_its_place(pages: dict[Path, Page]) -> None:
    """The page of settings has an anchor for every field."""
    names = {field.name for field in msgspec.structs.fields(Settings)}
    assert names <= pages[Path("reference/settings.html")].anchors


def test_each_kind_of_provider_is_listed(site: Path) -> None:
    """The page of settings has a table for every kind of provider."""
    text = (site / "reference" / "settings.html").read_text()
    kinds = Registries.load().providers
    assert all(f'kind = "{name}"' in text for name in kinds)


def test_each_error_code_has_its_place(pages: dict[Path, Page]) -> None:
    """The page of error codes has an anchor for every code that ``test_error_codes`` knows."""
    assert set(documented()) <= pages[Path("reference/errors.html")].anchors


def test_each_route_is_described(site: Path) -> None:
    """The page of the HTTP API has every operation of the OpenAPI document beside it."""
    text = (site / "reference" / "http.html").read_text()
    api = json.loads((site / "reference" / "openapi.json").read_text())
    operations = [
        (method.upper(), path) for path, found in api["paths"].items() for method in found
    ]
    assert len(operations) > 15
    assert all(f"{method} {path}</code>" in text for method, path in operations)


def test_each_public_name_is_described(pages: dict[Path, Page]) -> None:
    """The page of the Python API has each public name, and all names of the layer are public."""
    names = {name for section in PUBLIC.values() for name in section}
    assert names <= pages[Path("reference/python.html")].anchors
    assert {f"lambda_asgi.{name}" for name in lambda_asgi.__all__} <= names


def test_links_lead_somewhere(site: Path, pages: dict[Path, Page]) -> None:
    """Every link within the site has a file, and every anchor exists; images and scripts too."""
    broken = [
        f"{path}: {link}"
        for path, page in pages.items()
        if path.name != "404.html"
        for link in (*page.links, *page.loads)
        if not _exists(site, pages, path, link)
    ]
    assert broken == []


def _exists(site: Path, pages: dict[Path, Page], source: Path, link: str) -> bool:
    target, anchor = urldefrag(link)
    if urlsplit(link).scheme in {"http", "https", "mailto", "data"}:
        return True
    path = (site / source.parent / unquote(target)) if target else site / source
    path = path / "index.html" if path.is_dir() else path
    if not path.exists():
        return False
    page = pages.get(path.resolve().relative_to(site.resolve()))
    return not anchor or page is None or unquote(anchor) in page.anchors or anchor == "__skip"


def test_pages_load_nothing_from_elsewhere(pages: dict[Path, Page]) -> None:
    """The site works without a network: scripts, styles and images are its own."""
    assert [load for page in pages.values() for load in page.loads if "//" in load] == []


def test_each_document_is_a_page_of_the_menu(site: Path, pages: dict[Path, Page]) -> None:
    """Every page can be reached from the first one."""
    listed = {
        os.path.normpath(urldefrag(link)[0]) for link in pages[Path("index.html")].links if link
    }
    assert {str(path) for path in pages} - {"404.html", "index.html"} <= listed
