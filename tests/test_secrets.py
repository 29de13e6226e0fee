"""Secrets: references, one fetch for many, rotation, and the real SSM protocol over HTTP."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping

import pytest

from tokenwire.errors import ProxyError
from tokenwire.secrets import ParameterStore, Secrets


class Shelf:
    """A store that counts, and can refuse."""

    def __init__(self, **values: str) -> None:
        self.values = {f"/llm/{name}": value for name, value in values.items()}
        self.asked: list[frozenset[str]] = []
        self.broken = False

    def fetch(self, paths: frozenset[str]) -> Mapping[str, str]:
        """As ``Store.fetch``."""
        self.asked.append(paths)
        if self.broken:
            raise ProxyError("no", code="secret_unavailable")
        return {path: self.values[path] for path in paths if path in self.values}


class Clock:
    """A clock that is moved by hand."""

    now = 0.0

    def __call__(self) -> float:
        """Monotonic seconds."""
        return self.now


BOTH = frozenset({"ssm:/llm/a", "ssm:/llm/b", "env:X"})


async def test_environment_references() -> None:
    """A variable's value; an absent or empty one is an error that names it."""
    secrets = Secrets({"X": "value", "EMPTY": ""})
    assert await secrets.get("env:X") == "value"
    assert not await secrets.key("env:X").refresh()
    for reference in ("env:Y", "env:EMPTY", "sk-oops", ""):
        with pytest.raises(ProxyError) as caught:
            await secrets.get(reference)
        assert caught.value.code == "secret_unavailable"
        assert "sk-oops" not in caught.value.message


async def test_first_use_fetches_all_once() -> None:
    """Many callers at once make one fetch, for every reference there is."""
    shelf = Shelf(a="1", b="2")
    secrets = Secrets({}, BOTH, store=shelf)

    got = await asyncio.gather(*(secrets.get(f"ssm:/llm/{name}") for name in "abab"))

    assert got == ["1", "2", "1", "2"]
    assert shelf.asked == [frozenset({"/llm/a", "/llm/b"})]


async def test_values_age() -> None:
    """After its time a value is fetched anew; if that fails, the old one serves."""
    shelf, clock = Shelf(a="1"), Clock()
    secrets = Secrets({}, BOTH, ttl=10, store=shelf, clock=clock)
    await secrets.get("ssm:/llm/a")
    shelf.values["/llm/a"] = "2"
    clock.now = 9
    assert await secrets.get("ssm:/llm/a") == "1"
    clock.now = 11
    assert await secrets.get("ssm:/llm/a") == "2"
    shelf.broken = True
    clock.now = 99
    assert await secrets.get("ssm:/llm/a") == "2"


async def test_refused_key_is_refetched() -> None:
    """A rotated key is found at once; asking again and again does not hammer the store."""
    shelf, clock = Shelf(a="1"), Clock()
    secrets = Secrets({}, BOTH, store=shelf, clock=clock)
    key = secrets.key("ssm:/llm/a")
    assert not await key.refresh()
    assert await key() == "1"
    shelf.values["/llm/a"] = "2"
    assert not await key.refresh()
    clock.now = 2
    assert await key.refresh()
    assert await key() == "2"
    clock.now = 4
    assert not await key.refresh()
    clock.now = 6
    shelf.broken = True
    assert not await key.refresh()
    assert len(shelf.asked) == 4


async def test_missing_parameter_is_named() -> None:
    """The message names the parameter and the action to allow."""
    with pytest.raises(ProxyError, match=r"ssm:/llm/none.*ssm:GetParametersByPath"):
        await Secrets({}, store=Shelf()).get("ssm:/llm/none")


@pytest.fixture
def parameter_store() -> Iterator[object]:
    """SSM over HTTP, by moto, with one parameter in it."""
    import boto3
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    aws = {
        "AWS_ENDPOINT_URL_SSM": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    before = dict(os.environ)
    os.environ.update(aws)
    client = boto3.client("ssm")
    yield client
    client.close()
    os.environ.clear()
    os.environ.update(before)
    server.stop()


def test_parameter_store_over_http(parameter_store: object) -> None:
    """By path, decrypted, from several folders; what is not there is left out."""
    for name in ("/llm/a", "/llm/b", "/other/c"):
        parameter_store.put_parameter(Name=name, Value=f"v{name}", Type="SecureString")  # type: ignore[attr-defined]

    found = ParameterStore().fetch(frozenset({"/llm/a", "/llm/b", "/other/c", "/llm/none"}))

    assert found == {"/llm/a": "v/llm/a", "/llm/b": "v/llm/b", "/other/c": "v/other/c"}


def test_unreachable_store_names_the_action(parameter_store: object) -> None:
    """A denied or broken call says what to allow, and nothing of the values."""
    os.environ["AWS_ENDPOINT_URL_SSM"] = "http://127.0.0.1:9"
    os.environ["AWS_MAX_ATTEMPTS"] = "1"
    with pytest.raises(ProxyError, match=r"/llm.*ssm:GetParametersByPath.*kms:Decrypt"):
        ParameterStore().fetch(frozenset({"/llm/a"}))
