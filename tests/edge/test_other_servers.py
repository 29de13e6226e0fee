"""The commands of docs/operate.md that start the app in another way than ``tokenwire serve``."""

from __future__ import annotations

import asyncio
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import httpx2
import pytest

pytestmark = pytest.mark.outside

DOCUMENT = Path("docs/operate.md").read_text()
ANALYZE = shutil.which("systemd-analyze")


def snippet(language: str, word: str) -> str:
    """Return the code block with this word."""
    blocks: list[str] = re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL)
    (found,) = (block for block in blocks if word in block)
    return found


async def test_factory_runs_in_plain_uvicorn() -> None:
    """The documented command serves the app."""
    command = shlex.split(snippet("sh", "--factory").replace("--port 8000", "--port 0"))
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", *command), stderr=asyncio.subprocess.PIPE
    )
    assert process.stderr is not None
    try:
        async with asyncio.timeout(30):
            started = (await process.stderr.readuntil(b"Press CTRL+C")).decode()
        address = re.search(r"http://127\.0\.0\.1:\d+", started)
        assert address is not None
        async with httpx2.AsyncClient(trust_env=False) as client:
            assert (await client.get(f"{address[0]}/healthz")).json() == {"status": "ok"}
    finally:
        process.terminate()
        await process.communicate()


@pytest.mark.skipif(ANALYZE is None, reason="skipped: systemd-analyze is not installed")
def test_unit_is_valid(tmp_path: Path) -> None:
    """Systemd knows every setting of the unit."""
    text = snippet("ini", "[Service]")
    program = re.search(r"ExecStart=(\S+)", text)
    assert program is not None
    unit = tmp_path / "tokenwire.service"
    unit.write_text(text.replace(program[1], shutil.which("true") or ""))
    done = subprocess.run(
        [str(ANALYZE), "verify", "--recursive-errors=no", str(unit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "tokenwire.service" not in done.stderr
