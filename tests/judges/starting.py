"""Mock servers of other authors, as processes that end with a ``with`` block."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx2

from tests.fakes.ports import reserved_port
from tests.judges.parts import PYTHON, environment, need

_PATIENCE = 60.0


@contextmanager
def started(command: Sequence[str], health: str) -> Iterator[str]:
    """Start a server with ``-p PORT``; yield its base URL when it responds.

    Args:
        command: The program and its other arguments.
        health: A path that it answers with a good status.
    """
    port = reserved_port()
    process = subprocess.Popen(
        [*command, "-p", str(port)],
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _await(process, f"http://127.0.0.1:{port}{health}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def _await(process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        assert process.poll() is None, f"it ended with {process.returncode}"
        try:
            if httpx2.get(url, trust_env=False).is_success:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.05)
    raise TimeoutError(url)


@contextmanager
def llmock() -> Iterator[str]:
    """llmock: OpenAI, Anthropic and Gemini, whose faults are scripted over HTTP."""
    command = [need(PYTHON / "llmock"), "serve", "--log-level", "warning"]
    with started(command, "/health") as url:
        yield url


KEY = "sk-mock-mock-mock-mock"


def settings(config: Path, providers: Mapping[str, tuple[str, str]]) -> dict[str, str]:
    """Settings of an app with these providers.

    Args:
        config: The configuration file to write.
        providers: Kind and base URL by name.
    """
    keyed = '[providers.{}]\nkind = "{}"\nbase_url = "{}"\nmax_retries = 1\n{}\n'
    config.write_text(
        "".join(
            keyed.format(name, kind, url, "" if kind == "bedrock" else 'key = "env:MOCK_KEY"')
            for name, (kind, url) in providers.items()
        )
    )
    return {"TOKENWIRE_CONFIG": str(config), "MOCK_KEY": KEY, "AWS_REGION": "us-east-1"}
