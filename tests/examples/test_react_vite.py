"""``examples/react-vite``: ``useStream`` under StrictMode, built by Vite."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from tests.conftest import Serve
from tests.e2e.conftest import ONE_MODEL, Chromium
from tests.examples.conftest import EXAMPLES, drive, free_port, running
from tests.fakes.node import NODE
from tests.fakes.upstream import Upstream

HERE = EXAMPLES / "react-vite"
VITE = HERE / "node_modules/.bin/vite"

pytestmark = [
    pytest.mark.example,
    pytest.mark.skipif(not VITE.exists(), reason="skipped: npm could not install it"),
]


def test_package_is_installed_as_packed() -> None:
    """It is no link to its source, and has the client that the server's page uses."""
    package = HERE / "node_modules/tokenwire"
    assert not package.is_symlink()
    served = files("tokenwire.web").joinpath("tokenwire.js").read_bytes()
    assert (package / "tokenwire.js").read_bytes() == served
    assert not (package / "copy.mjs").exists()


@pytest.mark.parametrize("mode", ["dev", "preview"])
async def test_react_streams_resumes_and_stops(
    mode: str, provider: Upstream, serve: Serve, chromium: Chromium
) -> None:
    """With the development build, where StrictMode mounts twice, and with the production build."""
    client = await serve(provider, **ONE_MODEL)
    port = str(free_port())
    url = f"http://127.0.0.1:{port}"
    command: list[str | Path] = [NODE, VITE, mode, "--host", "127.0.0.1", "--port", port]
    environ = {"TOKENWIRE_URL": str(client.base_url).rstrip("/")}
    async with running(*command, "--strictPort", at=HERE, url=url, environ=environ):
        await drive((await chromium.tab(url)).page, provider)
