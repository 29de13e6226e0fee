"""The store that ``make lambda`` uses: a configured one, one that runs, or one of its own."""

from __future__ import annotations

import asyncio
import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis

from tests.fakes.listening import listening
from tests.fakes.ports import reserved_port
from tests.stores.servers import Server
from tokenwire.local.choice import chosen
from tokenwire.local.embedded import NoServer, program, running

UNSET = "memory://"


@contextmanager
def path_of(folder: Path) -> Iterator[None]:
    """Let programs be found in this folder only."""
    before = os.environ["PATH"]
    os.environ["PATH"] = str(folder)
    yield
    os.environ["PATH"] = before


@pytest.mark.parametrize(
    ("environ", "configured"),
    [({"TOKENWIRE_STORE": UNSET, "REDIS_URL": "redis://h"}, UNSET), ({}, "dynamodb://table")],
)
def test_a_configured_store_is_used(environ: dict[str, str], configured: str) -> None:
    """A setting wins, also that there shall be no store."""
    with chosen(environ, configured) as store:
        assert store.variables == {}


def test_redis_url_is_used_and_not_printed() -> None:
    """The variable that many tools use; its password is in no message."""
    with chosen({"REDIS_URL": "redis://:hunter2@h"}, UNSET) as store:
        assert store.variables == {"TOKENWIRE_STORE": "redis://:hunter2@h"}
    assert "hunter2" not in store.description


@pytest.mark.outside
def test_a_redis_at_the_usual_port_is_used(server_of: Callable[[str], Server]) -> None:
    """A Redis that is there and takes commands."""
    port = server_of("redis").port
    with chosen({}, UNSET, ("127.0.0.1", port)) as store:
        assert store.variables == {"TOKENWIRE_STORE": f"redis://127.0.0.1:{port}"}


@pytest.mark.outside
async def test_something_else_at_the_usual_port_is_not() -> None:
    """A Redis with a password, or another server, is left alone: one of its own is started."""

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        writer.write(b"-NOAUTH Authentication required.\r\n")

    async with listening(refuse) as address:
        host, _, port = address.partition(":")
        opened = chosen({}, UNSET, (host, int(port)))
        store = await asyncio.to_thread(opened.__enter__)
        opened.__exit__(None, None, None)
    assert urlsplit(store.variables["TOKENWIRE_STORE"]).port != int(port)
    assert store.description == "in a server of this command, until it ends"


@pytest.mark.outside
def test_own_server_is_private_and_ends() -> None:
    """It needs a password, which no list of processes has; it listens on this machine only."""
    with running(program()) as url:
        parts = urlsplit(url)
        assert parts.hostname == "127.0.0.1"
        assert len(parts.password or "") == 32
        with redis.Redis.from_url(url) as client:
            info = client.info("server")
            assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        stranger = redis.Redis(port=parts.port or 0)
        with stranger, pytest.raises(redis.AuthenticationError):
            stranger.ping()
        arguments = Path(f"/proc/{info['process_id']}/cmdline").read_bytes().decode()
        settings = Path(info["config_file"])
        assert (parts.password or "") not in arguments
        assert (parts.password or "") in settings.read_text()
        assert stat.S_IMODE(settings.parent.stat().st_mode) == 0o700
    assert not settings.parent.exists()
    with pytest.raises(redis.ConnectionError), redis.Redis.from_url(url) as client:
        client.ping()


def test_without_any_server_it_says_what_to_install(tmp_path: Path) -> None:
    """The function runs all the same; what cannot work is reported."""
    nowhere = ("127.0.0.1", reserved_port())
    with path_of(tmp_path), chosen({}, UNSET, nowhere, partial(program, "no_such_wheel")) as store:
        assert store.variables == {}
    assert "cannot be resumed or stopped: install redis-server" in store.description


def test_installed_server_is_found(tmp_path: Path) -> None:
    """Without the wheel, the program of the machine is used."""
    found = tmp_path / "redis-server"
    found.touch(0o755)
    with path_of(tmp_path):
        assert program("no_such_wheel") == str(found)


def test_program_that_does_not_start_is_named() -> None:
    """A program that ends at once is not waited for."""
    with pytest.raises(NoServer, match="/bin/false does not start"), running("/bin/false"):
        pass
