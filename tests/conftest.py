"""Fixtures that many rooms use: a scripted provider, and the app in front of it."""

from __future__ import annotations

import gc
import os
import signal
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Generator,
    Iterator,
    MutableMapping,
)
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, TypeAlias

import httpx2
import hypothesis
import pytest

from tests import groups, measuring
from tests.costs import Costs
from tests.fakes.server import serving
from tests.fakes.upstream import Upstream, upstream
from tests.stores.servers import KINDS, NotHere, Server

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

# A deadline for each example would fail on a loaded machine, and say nothing about the code.
hypothesis.settings.register_profile("tokenwire", deadline=None)
hypothesis.settings.load_profile("tokenwire")

_STARTED = {"chromium", "server_of"}
"""Fixtures that start other processes."""
_WAITING = ("tests/stores/", "tests/edge/")
"""Folders whose tests wait for seconds, and compute little."""


def pytest_configure(config: pytest.Config) -> None:
    """Measure the CPU time of test files, and coverage where it tells something."""
    config.pluginmanager.register(Costs(), "costs")
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # A shell starts background commands so, and every process of the tests would inherit it.
        signal.signal(signal.SIGINT, signal.default_int_handler)
    config.pluginmanager.register(measuring, "measuring")
    if getattr(config.option, "loadgroup", False):
        config.pluginmanager.register(groups.Names(), "groups")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    """Import and collect without garbage collection, and never look through the result again.

    It is a million objects that stay to the end: Python would look through them dozens of times
    while they are made, in each worker, and in every complete collection afterwards.
    """
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by the processes that they start, and run first what waits the longest."""
    for item in items:
        if _STARTED & set(getattr(item, "fixturenames", ())):
            item.add_marker("outside")
        groups.mark(item)
    items.sort(
        key=lambda item: (
            item.get_closest_marker("outside") is None,
            not item.nodeid.startswith(_WAITING),
        )
    )


Serve: TypeAlias = Callable[..., Awaitable[httpx2.AsyncClient]]


@pytest.fixture
async def provider() -> AsyncIterator[Upstream]:
    """A scripted provider."""
    async with upstream() as found:
        yield found


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Starts the app with these settings; gives a client of it.

    ``await serve(provider, TOKENWIRE_HEARTBEAT="0.1")``
    """
    async with AsyncExitStack() as stack:

        async def start(
            behind: Upstream | None = None,
            around: Callable[[Any], Any] = lambda app: app,
            **settings: str,
        ) -> httpx2.AsyncClient:
            environ = dict(settings)
            if behind is not None:
                environ |= {"OPENAI_API_KEY": "sk-secret", "OPENAI_BASE_URL": behind.base_url}
            base_url = await stack.enter_async_context(serving(environ, around))
            # It speaks no TLS: without ``verify`` it need not read the machine's certificates.
            client = httpx2.AsyncClient(
                base_url=base_url, timeout=20, trust_env=False, verify=False
            )
            return await stack.enter_async_context(client)

        yield start


@pytest.fixture
def aws() -> Iterator[MutableMapping[str, str]]:
    """The process's environment, free of AWS; put back afterwards. Only boto3 reads it."""
    before = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ |= {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
    os.environ |= {"AWS_EC2_METADATA_DISABLED": "true", "AWS_CONFIG_FILE": os.devnull}
    yield os.environ
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def moto_url() -> Iterator[str]:
    """AWS over HTTP, by moto."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def parameter_store(aws: MutableMapping[str, str], moto_url: str) -> Iterator[SSMClient]:
    """SSM, without a parameter, and a client to fill it."""
    import boto3

    httpx2.post(f"{moto_url}/moto-api/reset", trust_env=False).raise_for_status()
    aws.update({"AWS_ENDPOINT_URL_SSM": moto_url, "AWS_DEFAULT_REGION": "us-east-1"})
    client = boto3.client("ssm")
    yield client
    client.close()


@pytest.fixture(scope="session")
def server_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Server]]:
    """Starts a server of a kind, or finds the one that runs."""
    running: dict[str, Server] = {}

    def find(kind: str) -> Server:
        if kind not in running:
            try:
                server = KINDS[kind](tmp_path_factory.mktemp(kind))
            except NotHere as why:
                pytest.skip(str(why))
            running[kind] = server
            try:
                server.start()
            except AssertionError:
                # A test that comes later starts it anew, and does not find one without its table.
                running.pop(kind).stop()
                raise
        return running[kind]

    yield find
    for server in running.values():
        server.stop()


@pytest.fixture
def its_environment() -> Iterator[Callable[[Server], None]]:
    """Puts what boto3 needs for a server into the process's environment, and takes it out."""
    before = dict(os.environ)
    yield lambda server: os.environ.update(server.environ)
    os.environ.clear()
    os.environ.update(before)
