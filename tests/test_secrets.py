"""Secrets: references, one fetch for many, rotation, and the real SSM protocol over HTTP."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, MutableMapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.fakes.clock import Clock
from tests.fakes.parameters import Parameters
from tokenwire.app import create_app
from tokenwire.errors import ProxyError
from tokenwire.parameters import ParameterStore
from tokenwire.secrets import NO_KEY, Secrets
from tokenwire.settings import load

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient


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


async def test_store_is_prepared_if_it_will_be_used() -> None:
    """In the init phase, without a fetch; an error there is raised at the first use."""
    parameters = Parameters(a="1")
    await Secrets({}, store=parameters).prepare()
    assert parameters.prepared == 0
    await Secrets({}, frozenset({"ssm:/llm/a"}), store=parameters).prepare()
    parameters.broken = True
    await Secrets({}, frozenset({"ssm:/llm/a"}), store=parameters).prepare()
    assert (parameters.prepared, parameters.requests) == (2, [])


async def test_first_use_fetches_all_once() -> None:
    """Many callers at once make one fetch, for every reference there is."""
    parameters = Parameters(a="1", b="2")
    secrets = Secrets({}, BOTH, store=parameters)

    got = await asyncio.gather(*(secrets.get(f"ssm:/llm/{name}") for name in "abab"))

    assert got == ["1", "2", "1", "2"]
    assert parameters.requests == [frozenset({"/llm/a", "/llm/b"})]


async def test_values_age() -> None:
    """After its time a value is fetched anew; if that fails, the old one serves."""
    parameters, clock = Parameters(a="1"), Clock(0)
    secrets = Secrets({}, BOTH, ttl=10, store=parameters, clock=clock)
    await secrets.get("ssm:/llm/a")
    parameters.values["/llm/a"] = "2"
    clock.now = 9
    assert await secrets.get("ssm:/llm/a") == "1"
    clock.now = 11
    assert await secrets.get("ssm:/llm/a") == "2"
    parameters.broken = True
    clock.now = 99
    assert await secrets.get("ssm:/llm/a") == "2"


async def test_refused_key_is_refetched() -> None:
    """A rotated key is found at once; repeated requests do not overload the store."""
    parameters, clock = Parameters(a="1"), Clock(0)
    secrets = Secrets({}, BOTH, store=parameters, clock=clock)
    key = secrets.key("ssm:/llm/a")
    assert not await key.refresh()
    assert await key() == "1"
    parameters.values["/llm/a"] = "2"
    assert not await key.refresh()
    clock.now = 2
    assert await key.refresh()
    assert await key() == "2"
    clock.now = 4
    assert not await key.refresh()
    clock.now = 6
    parameters.broken = True
    assert not await key.refresh()
    assert len(parameters.requests) == 4


async def test_late_refusals_learn_of_rotation() -> None:
    """A request refused just after another one had fetched the new key tries again too."""
    parameters, clock = Parameters(a="1"), Clock(0)
    key = Secrets({}, BOTH, store=parameters, clock=clock).key("ssm:/llm/a")
    await key()
    parameters.values["/llm/a"] = "2"
    clock.now = 2

    together = await asyncio.gather(*(key.refresh() for _ in range(3)))
    clock.now = 2.5
    late = await key.refresh()

    assert (together, late) == ([True] * 3, True)
    assert len(parameters.requests) == 2
    clock.now = 3.5
    assert not await key.refresh()


class SlowParameters(Parameters):
    """A store that answers on command."""

    def __init__(self) -> None:
        super().__init__(a="1")
        self.may_answer = threading.Event()
        self.may_answer.set()

    def fetch(self, paths: frozenset[str]) -> Mapping[str, str]:
        """As ``Store.fetch``, in a thread of its own."""
        found = super().fetch(paths)
        assert self.may_answer.wait(10)
        return found


async def test_slow_store_holds_up_one() -> None:
    """While one request fetches a value anew, the others go on with the old one."""
    parameters, clock = SlowParameters(), Clock(0)
    secrets = Secrets({}, BOTH, ttl=10, store=parameters, clock=clock)
    await secrets.get("ssm:/llm/a")
    parameters.values["/llm/a"] = "2"
    clock.now = 11
    parameters.may_answer.clear()
    one = asyncio.create_task(secrets.get("ssm:/llm/a"))
    while len(parameters.requests) < 2:
        await asyncio.sleep(0)

    assert await secrets.get("ssm:/llm/a") == "1"

    parameters.may_answer.set()
    assert await one == "2"


async def test_broken_store_is_not_hammered() -> None:
    """Whatever fails is tried once a second, however many requests need it; each gets the cause."""
    parameters, clock = Parameters(), Clock(0)
    parameters.broken = True
    secrets = Secrets({}, BOTH, store=parameters, clock=clock)

    answers = await asyncio.gather(
        *(secrets.get("ssm:/llm/a") for _ in range(5)), return_exceptions=True
    )

    assert [str(answer) for answer in answers] == ["no"] * 5
    assert len(parameters.requests) == 1
    clock.now = 1.5
    parameters.broken = False
    for _ in range(3):
        with pytest.raises(ProxyError, match="ssm:/llm/a"):
            await secrets.get("ssm:/llm/a")
    assert len(parameters.requests) == 2
    clock.now, parameters.values["/llm/a"] = 3, "1"
    assert await secrets.get("ssm:/llm/a") == "1"


async def test_provider_without_key() -> None:
    """A server on this machine needs none; SDKs require a value."""
    key = Secrets({}).key(NO_KEY)
    assert await key() == "none"
    assert not await key.refresh()


async def test_key_that_no_header_can_carry() -> None:
    """A shortened one, as documents print it: the reference is named, the value is not quoted."""
    key = Secrets({}, store=Parameters(a="sk-proj…")).key("ssm:/llm/a")
    with pytest.raises(ProxyError, match="ssm:/llm/a has a character outside ASCII") as error:
        await key()
    assert (error.value.code, "sk-proj" in str(error.value)) == ("bad_setting", False)


async def test_missing_parameter_is_named() -> None:
    """The message names the parameter and the action to allow."""
    with pytest.raises(ProxyError, match=r"ssm:/llm/none.*ssm:GetParametersByPath"):
        await Secrets({}, store=Parameters()).get("ssm:/llm/none")


def put(client: SSMClient, *names: str) -> None:
    """Parameters whose value is ``v`` and their name."""
    for name in names:
        client.put_parameter(Name=name, Value=f"v{name}", Type="SecureString", Overwrite=True)


def test_parameter_store_over_http(parameter_store: SSMClient) -> None:
    """Decrypted, from several folders and from none; what is not there is left out."""
    there = frozenset({"/llm/a", "/llm/b", "/other/c", "/top"})
    put(parameter_store, *there, "/llm/a/deeper")

    found = ParameterStore().fetch(there | {"/llm/none"})

    assert found == {path: f"v{path}" for path in there}


def test_configuration_in_a_parameter(parameter_store: SSMClient) -> None:
    """Aliases and fallbacks from SSM; a missing one, or one that is no TOML, stops the start."""
    toml = '[models.best]\nroute = ["openai/a", "demo/fast"]\n'
    parameter_store.put_parameter(Name="/llm/config", Value=toml, Type="String", Overwrite=True)
    read = ParameterStore().read
    environ = {"TOKENWIRE_CONFIG": "ssm:/llm/config", "OPENAI_API_KEY": "env-key-of-tests"}
    found = load(environ, Path("/nonexistent"), read)
    assert found.models["best"].route == ("openai/a", "demo/fast")
    with pytest.raises(ProxyError, match=r"ssm:/llm/none.*ssm:GetParametersByPath"):
        load({"TOKENWIRE_CONFIG": "ssm:/llm/none"}, Path("/nonexistent"), read)
    parameter_store.put_parameter(Name="/llm/config", Value="[", Type="String", Overwrite=True)
    with pytest.raises(ProxyError, match="ssm:/llm/config is not TOML"):
        load({"TOKENWIRE_CONFIG": "ssm:/llm/config"}, Path("/nonexistent"), read)


async def test_rotated_parameter_is_used(parameter_store: SSMClient) -> None:
    """From first use to rotation, over HTTP."""
    put(parameter_store, "/llm/a")
    clock = Clock(0)
    key = Secrets({}, BOTH, clock=clock).key("ssm:/llm/a")
    assert await key() == "v/llm/a"
    parameter_store.put_parameter(Name="/llm/a", Value="new", Type="SecureString", Overwrite=True)
    clock.now = 2

    assert await key.refresh()

    assert await key() == "new"


class Answers(BaseHTTPRequestHandler):
    """SSM as it answers those who lack a permission."""

    def do_POST(self) -> None:
        """Refuse listing; give the one parameter that may be read by name."""
        action = self.headers["X-Amz-Target"].rpartition(".")[2]
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if action == "GetParameter" and request["Name"] == "/llm/a":
            self._say(200, {"Parameter": {"Name": "/llm/a", "Value": "v"}})
        elif "throttled" in request.get("Path", ""):
            self._say(400, {"__type": "ThrottlingException"})
        else:
            self._say(400, {"__type": "AccessDeniedException", "message": "sk-secret"})

    def _say(self, status: int, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Be quiet."""


@pytest.fixture
def strict_store(aws: MutableMapping[str, str]) -> Iterator[None]:
    """A store that allows ``ssm:GetParameter`` on ``/llm/a`` and nothing else."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    port = server.server_address[1]
    aws.update({"AWS_ENDPOINT_URL_SSM": f"http://127.0.0.1:{port}", "AWS_DEFAULT_REGION": "x"})
    yield
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.usefixtures("strict_store")
async def test_one_denied_parameter_spares_the_others() -> None:
    """What may be read is read; the message of the other names what to allow."""
    secrets = Secrets({}, BOTH | {"ssm:/other/c"})
    assert await secrets.get("ssm:/llm/a") == "v"
    with pytest.raises(ProxyError, match=r"/other/c.*ssm:GetParametersByPath.*kms:Decrypt") as no:
        await secrets.get("ssm:/other/c")
    assert "sk-secret" not in no.value.message


@pytest.mark.usefixtures("strict_store")
def test_throttling_is_not_a_missing_parameter() -> None:
    """A store that does not answer the question is an error with its name."""
    with pytest.raises(ProxyError, match=r"/throttled \(ThrottlingException\)"):
        ParameterStore().fetch(frozenset({"/throttled/a"}))


def test_unreachable_store_names_the_action(aws: MutableMapping[str, str]) -> None:
    """A broken call says what to look at, and nothing of the values."""
    aws.update({"AWS_ENDPOINT_URL_SSM": "http://127.0.0.1:9", "AWS_DEFAULT_REGION": "us-east-1"})
    with pytest.raises(ProxyError, match=r"/llm.*ssm:GetParametersByPath.*kms:Decrypt") as caught:
        ParameterStore().fetch(frozenset({"/llm/a"}))
    assert caught.value.status == 503


@pytest.mark.usefixtures("aws")
def test_missing_region_is_ours_to_say() -> None:
    """boto3's own complaints do not leave the room."""
    with pytest.raises(ProxyError, match=r"/llm/a \(NoRegionError\)"):
        ParameterStore().fetch(frozenset({"/llm/a"}))


@pytest.mark.outside
def test_boto3_may_be_absent() -> None:
    """A server without AWS needs none of it; a reference to SSM then says what is missing."""
    program = (
        "import sys; sys.modules['boto3'] = None\n"
        "from tokenwire.parameters import ParameterStore\n"
        "ParameterStore().fetch(frozenset({'/llm/a'}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "ProxyError: SSM cannot be read for /llm/a (boto3 is not installed)" in done.stderr


def test_address_of_the_store_in_a_parameter(parameter_store: SSMClient) -> None:
    """Read when the app is made: it may hold a password."""
    parameter_store.put_parameter(
        Name="/tw/store-url", Value="rediss://me:hunter2@h", Type="SecureString"
    )
    app = create_app(load({"TOKENWIRE_STORE": "ssm:/tw/store-url"}, Path("/nonexistent")))
    assert app.state.services.hub.store_status == "ok"  # shared, unlike the default


def test_reading_at_once() -> None:
    """A blocking read, for the start: a value that is missing is named by its reference."""
    secrets = Secrets({"X": "value"}, store=Parameters())
    assert secrets.read("env:X") == "value"
    for missing in ("env:Y", "ssm:/llm/none"):
        with pytest.raises(ProxyError, match=missing) as caught:
            secrets.read(missing)
        assert caught.value.code == "secret_unavailable"
