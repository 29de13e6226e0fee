"""The image, and the replicas of ``compose.yaml``, in a container engine."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing

import httpx2
import pytest

from tests.fakes.ports import reserved_port
from tests.http.reading import read, text_of

pytestmark = [pytest.mark.sam, pytest.mark.timeout(180)]

KEY = "key-of-the-replicas"
PROJECT = "tokenwire-tests"
SENTENCE = " ".join(f"w{n}" for n in range(60))
ASK = {"message": f"Say exactly: {SENTENCE}", "model": "demo/markdown", "on_disconnect": "continue"}


def docker(*arguments: str) -> str:
    """Run a command of the engine; return its output."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def compose() -> list[str]:
    """Return the command of Docker Compose."""
    plugin = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
    if plugin.returncode == 0:
        return ["docker", "compose"]
    if found := shutil.which("docker-compose"):
        return [found]
    pytest.skip("skipped: the container engine has no compose")


def until_healthy(container: str) -> None:
    """Wait for the image's own health check."""
    end = time.monotonic() + 90
    while (state := docker("inspect", "-f", "{{.State.Health.Status}}", container)) != "healthy":
        assert time.monotonic() < end, docker("logs", container)
        assert state == "starting"
        time.sleep(0.5)


@pytest.fixture(scope="module")
def image() -> str:
    """Return the image that ``make test-sam`` has built of ``Dockerfile``."""
    found = os.environ.get("TESTED_IMAGE")
    if found is None:
        pytest.skip("make test-sam builds the image, where it has a base for it")
    return found


@pytest.fixture(scope="module")
def replicas(image: str) -> Iterator[str]:
    """Start ``compose.yaml``; yield the URL of nginx."""
    port = reserved_port()
    environ = {**os.environ, "TOKENWIRE_IMAGE": image, "TOKENWIRE_API_KEYS": KEY, "PORT": str(port)}
    command = [*compose(), "-p", PROJECT]
    up = [*command, "up", "-d", "--no-build"]
    done = subprocess.run(up, env=environ, capture_output=True, text=True, check=False)
    try:
        assert done.returncode == 0, done.stderr
        for name in ("one", "two"):
            until_healthy(container(name))
        yield f"http://127.0.0.1:{port}"
    finally:
        subprocess.run([*command, "down", "-v", "-t", "5"], env=environ, check=False)


def container(service: str) -> str:
    """Return the container's id."""
    label = "label=com.docker.compose"
    names = (f"{label}.project={PROJECT}", f"{label}.service={service}")
    return docker("ps", "-q", *(part for name in names for part in ("--filter", name)))


def client_of(base_url: str) -> httpx2.Client:
    """Return a client with the replicas' key."""
    headers = {"x-api-key": KEY}
    return httpx2.Client(base_url=base_url, headers=headers, timeout=30, trust_env=False)


def direct(service: str) -> httpx2.Client:
    """Return a client of one replica, at its address in the engine's network."""
    networks = json.loads(
        docker("inspect", "-f", "{{json .NetworkSettings.Networks}}", container(service))
    )
    (network,) = networks.values()
    return client_of(f"http://{network['IPAddress']}:8000")


def test_image_runs_as_nobody_with_nothing_to_write_to(image: str) -> None:
    """It is healthy with a read-only root, without capabilities, as a user that has no name."""
    options = ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
    started = docker("run", "-d", *options, "-e", f"TOKENWIRE_API_KEYS={KEY}", image)
    name = started.splitlines()[-1]
    try:
        until_healthy(name)
        assert docker("exec", name, "id", "-u") == "10001"
        writable = docker("exec", name, "sh", "-c", "touch /app/x 2>&1; touch /tmp/x 2>&1; true")
        assert writable.count("Read-only file system") == 2
        docker("stop", "-t", "20", name)
        state = json.loads(docker("inspect", "-f", "{{json .State}}", name))
        assert state["ExitCode"] in (0, 143)
        assert "Traceback" not in docker("logs", name)
    finally:
        docker("rm", "-f", name)


def test_image_refuses_to_serve_everyone(image: str) -> None:
    """Without keys it does not start, and says what to set."""
    done = subprocess.run(
        ["docker", "run", "--rm", image], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "TOKENWIRE_API_KEYS" in done.stderr


def test_image_has_no_tools_of_the_build(image: str) -> None:
    """No installer in the environment, no source but the two packages, no other file."""
    script = (
        "ls /app/bin /app/lib/python3*/site-packages; ls -A /config; ls -d /src /tools 2>&1; true"
    )
    listed = docker("run", "--rm", "--entrypoint", "sh", image, "-c", script)
    assert listed.count("No such file") == 2
    names = set(listed.split())
    assert {"tokenwire", "lambda_asgi", "uvicorn"} <= names
    assert not {"uv", "pip", "hatchling", "pytest", "moto", ".env"} & names


def test_stream_of_one_replica_is_resumed_at_the_other(replicas: str) -> None:
    """Started at one, resumed at two after the last event: complete, nothing twice."""
    with closing(direct("one")) as one, closing(direct("two")) as two:
        begun = b""
        with one.stream("POST", "/api/stream", json=ASK) as response:
            stream_id = response.headers["x-stream-id"]
            for part in response.iter_bytes():
                begun += part
                if b"w5" in begun:
                    break
        cut = begun[: begun.rindex(b"\n\n") + 2]
        last = [event_id for event_id, _ in read(cut) if event_id][-1]
        resumed = two.get(f"/v1/streams/{stream_id}", headers={"last-event-id": last})
        assert text_of(cut) + text_of(resumed.content) == SENTENCE
        assert "w59" not in text_of(cut)


def test_nginx_passes_each_event_on(replicas: str) -> None:
    """Events arrive while the answer is being generated; any replica can cancel it."""
    with client_of(replicas) as client:
        received = b""
        with client.stream("POST", "/api/stream", json=ASK) as response:
            for part in response.iter_bytes():
                received += part
                if b"w5" in received:
                    stream_id = response.headers["x-stream-id"]
                    ended = client.post(f"/v1/streams/{stream_id}/cancel")
                    assert ended.json()["end_reason"] == "cancelled"
        assert b"cancelled" in received
        assert b"w59" not in received
