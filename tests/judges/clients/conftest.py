"""The mock provider, and tokenwire in front of it, as processes."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.fakes.ports import reserved_port
from tests.judges.clients.table import HERE
from tests.judges.parts import MODULES, NODE

_ADDRESS = re.compile(rb"(http://127\.0\.0\.1:(\d+))")
_PROVIDER = """
[providers.{name}]
kind = "{kind}"
base_url = "{url}"
max_retries = 0
{key}
"""
_KEY = 'key = "env:MOCK_KEY"'


@contextmanager
def _started(command: Sequence[str], env: Mapping[str, str], output: Path) -> Iterator[str]:
    """A process that prints its address; ended with the block. It writes to a file, not a pipe."""
    with output.open("wb") as written:
        process = subprocess.Popen(
            command,
            env={**os.environ, **env},
            stdout=written,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        yield _address(process, output)
    finally:
        # The group: what is started as Node is a program that starts Node.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=20)


def _address(process: subprocess.Popen[bytes], output: Path) -> str:
    while process.poll() is None:
        found = _ADDRESS.search(output.read_bytes())
        # tokenwire prints its address before it listens there.
        if found and _is_listening(int(found[2])):
            return found[1].decode()
        time.sleep(0.05)
    pytest.fail(f"ended with {process.returncode}: {output.read_text()[-2000:]}")


def _is_listening(port: int) -> bool:
    with suppress(ConnectionError), socket.create_connection(("127.0.0.1", port), timeout=5):
        return True
    return False


@pytest.fixture(scope="session")
def aimock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of the mock of every provider."""
    if not (MODULES / "@copilotkit/aimock").is_dir():
        pytest.skip("skipped: aimock could not be installed (scripts/judges.sh)")
    program = MODULES / "@copilotkit/aimock/dist/cli.js"
    fixtures = ["-f", str(HERE / "aimock.json"), "--validate-on-load", "--strict"]
    output = tmp_path_factory.mktemp("aimock") / "output"
    with _started([str(NODE), str(program), "-p", "0", *fixtures], {}, output) as url:
        yield url


@pytest.fixture(scope="session")
def tokenwire_url(aimock: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of tokenwire, with every kind of provider."""
    config = tmp_path_factory.mktemp("clients") / "tokenwire.toml"
    kinds = {
        "openai": ("openai", f"{aimock}/v1", _KEY),
        "anthropic": ("anthropic", aimock, _KEY),
        "gemini": ("gemini-native", aimock, _KEY),
        "bedrock": ("bedrock", aimock, ""),
    }
    config.write_text(
        "".join(
            _PROVIDER.format(name=name, kind=kind, url=url, key=key)
            for name, (kind, url, key) in kinds.items()
        )
    )
    env = {
        "TOKENWIRE_CONFIG": str(config),
        "TOKENWIRE_PORT": str(reserved_port()),
        "TOKENWIRE_HEARTBEAT": "5s",
        # Also for the dialects whose clients can come back.
        "TOKENWIRE_ON_DISCONNECT": "cancel",
        "MOCK_KEY": "sk-mock-mock-mock-mock",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
    }
    output = config.with_name("output")
    with _started([sys.executable, "-m", "tokenwire"], env, output) as url:
        yield url
