"""The documented nginx configuration, with the real nginx."""

from __future__ import annotations

import asyncio
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest

from tests.fakes.ports import reserved_port
from tests.fakes.server import serving
from tests.http.reading import text_of

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin")
pytestmark = [
    pytest.mark.outside,
    pytest.mark.skipif(NGINX is None, reason="skipped: there is no nginx on this machine"),
]


@asynccontextmanager
async def behind_nginx(url: str, folder: Path) -> AsyncIterator[httpx2.AsyncClient]:
    """Return a client of nginx, configured as in docs/operate.md, in front of this server."""
    snippet = re.search(r"```nginx\n(.*?)```", Path("docs/operate.md").read_text(), re.DOTALL)
    assert snippet is not None
    port = reserved_port()
    server = snippet[1].replace("listen 80;", f"listen 127.0.0.1:{port};")
    server = server.replace("http://127.0.0.1:8000", url)
    temporary = "".join(
        f"{name}_temp_path {folder / name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    conf = folder / "nginx.conf"
    conf.write_text(
        f"daemon off; pid {folder / 'pid'}; error_log stderr;"
        f"events {{}} http {{ access_log off; {temporary} {server} }}"
    )
    process = await asyncio.create_subprocess_exec(
        str(NGINX), "-p", str(folder), "-c", str(conf), stderr=asyncio.subprocess.DEVNULL
    )
    client = httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False)
    try:
        async with client, asyncio.timeout(30):
            await _listening(client)
            yield client
    finally:
        process.terminate()
        await process.wait()


async def _listening(client: httpx2.AsyncClient) -> None:
    while True:
        try:
            await client.get("/healthz")
            return
        except httpx2.ConnectError:
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("sent", [{}, {"x-forwarded-for": "127.0.0.1", "x-real-ip": "127.0.0.1"}])
async def test_sent_host_is_not_trusted(sent: dict[str, str], tmp_path: Path) -> None:
    """A server without keys refuses requests through nginx, with any Host."""
    async with serving({}) as url, behind_nginx(url, tmp_path) as client:
        ask = {"message": "hi"}
        headers = {"host": "localhost", **sent}
        response = await client.post("/api/stream", json=ask, headers=headers)

    assert (response.status_code, response.json()["code"]) == (403, "loopback_only")


async def test_streams_pass(tmp_path: Path) -> None:
    """With a key, the stream passes through nginx."""
    settings = {"TOKENWIRE_API_KEYS": "key-one-of-tests", "TOKENWIRE_DEMO_PACE": "1000"}
    async with serving(settings) as url, behind_nginx(url, tmp_path) as client:
        headers = {"x-api-key": "key-one-of-tests"}
        response = await client.post("/api/stream", json={"message": "hi"}, headers=headers)

    assert text_of(response.content)
