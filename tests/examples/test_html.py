"""``examples/html``: a page without a framework, on another origin than the server."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.conftest import Serve
from tests.e2e.conftest import ONE_MODEL, Chromium
from tests.examples.conftest import copied, drive, free_port, running
from tests.fakes.upstream import Upstream

README_SERVER = "http://127.0.0.1:8000"


async def test_plain_html_streams_resumes_and_stops(
    provider: Upstream, serve: Serve, chromium: Chromium, tmp_path: Path
) -> None:
    """Served by Python's file server, with the address of the server replaced."""
    url = f"http://127.0.0.1:{free_port()}"
    client = await serve(provider, **ONE_MODEL, TOKENWIRE_CORS_ORIGINS=url)
    page_files = copied("html", tmp_path)
    script = page_files / "chat.js"
    assert script.read_text().count(README_SERVER) == 2
    server = str(client.base_url).rstrip("/")
    script.write_text(script.read_text().replace(README_SERVER, server))
    port = url.rpartition(":")[2]
    command: list[str | Path] = [
        sys.executable,
        "-m",
        "http.server",
        "--bind",
        "127.0.0.1",
        port,
        "-d",
        page_files,
    ]
    async with running(*command, at=tmp_path, url=url):
        await drive((await chromium.tab(url, origins=2)).page, provider)
