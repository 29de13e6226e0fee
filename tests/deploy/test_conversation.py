"""``make deploy`` against AWS's API as moto has it, and the URL of a function that really runs."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.deploy.shell import Shell, shell
from tests.fakes.function_url import function_url
from tests.fakes.upstream import Upstream, complete

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

pytestmark = pytest.mark.outside

TYPED = "sk-typed-at-the-terminal"
PATH = "/tokenwire-staging"
COMMAND = f"{sys.executable} -m tests.deploy.program --env staging"


class Deployed:
    """A place to deploy to, and what happened there.

    Args:
        environ: For the command.
        folder: Where the stand-in of SAM writes, and the shell's history is.
        ssm: A client.
    """

    def __init__(self, environ: Mapping[str, str], folder: Path, ssm: SSMClient) -> None:
        self.environ, self.folder, self._ssm = environ, folder, ssm

    @property
    def history(self) -> Path:
        """The shell's history."""
        return self.folder / "history"

    def secrets(self) -> dict[str, str]:
        """Return the parameters in SSM, which are all encrypted."""
        found = self._ssm.get_parameters_by_path(Path=PATH, WithDecryption=True)["Parameters"]
        assert {each["Type"] for each in found} <= {"SecureString"}
        return {each["Name"]: each["Value"] for each in found}

    def sam(self, verb: str) -> Any:
        """Return what SAM was given."""
        return json.loads((self.folder / f"{verb}.json").read_text())

    async def run(self, *arguments: str, given: str = "") -> tuple[int | None, str]:
        """Run the command without a terminal, with this on stdin."""
        process = await asyncio.create_subprocess_exec(
            *(*COMMAND.split(), *arguments),
            env=self.environ,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        output, _ = await process.communicate(given.encode())
        return process.returncode, output.decode()


@pytest.fixture
async def place(
    provider: Upstream, parameter_store: SSMClient, moto_url: str, tmp_path: Path
) -> AsyncIterator[Deployed]:
    """An account without anything, and the function as it will be: with secrets from SSM."""
    aws = {
        "AWS_ENDPOINT_URL": moto_url,
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
    }
    function = {
        **aws,
        "OPENAI_API_KEY": f"ssm:{PATH}/openai-api-key",
        "OPENAI_BASE_URL": provider.base_url,
        "TOKENWIRE_API_KEYS": f"ssm:{PATH}/api-keys",
        "TOKENWIRE_DEFAULT_MODEL": "openai/gpt-x",
        "TOKENWIRE_CONFIG": "tests/e2e/one_model.toml",
    }
    async with function_url(function, concurrency=1, environments=2) as url:
        standin = {"STANDIN_RECORD": str(tmp_path), "STANDIN_URL": f"{url}/"}
        environ = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), **aws, **standin}
        yield Deployed(environ, tmp_path, parameter_store)


async def test_a_person_deploys_and_no_key_leaks(place: Deployed, provider: Upstream) -> None:
    """Keys go from the terminal to SSM: not displayed, in no history, argument or variable."""
    provider.answer(*complete("Hello from ", "the model."))
    displayed = await asyncio.to_thread(_talk, place)

    secrets = place.secrets()
    assert secrets.keys() == {f"{PATH}/openai-api-key", f"{PATH}/api-keys"}
    assert secrets[f"{PATH}/openai-api-key"] == TYPED
    callers = secrets[f"{PATH}/api-keys"]
    assert displayed.count(callers) == 1
    assert f"printed this once: {callers}" in displayed
    order = ["region: us-east-1", "credentials: arn:", "rights: ", "Python for bytecode: "]
    order += ["Providers: ", "openai-api-key: written", "A first stream, of openai/gpt-x:"]
    positions = [displayed.index(text) for text in [*order, "Hello from the model."]]
    assert positions == sorted(positions)
    assert provider.requests[-1].headers["authorization"] == f"Bearer {TYPED}"

    everything = displayed + place.history.read_text()
    for verb in ("build", "deploy"):
        everything += json.dumps(place.sam(verb))
    assert COMMAND in place.history.read_text()
    assert TYPED not in everything
    assert callers not in place.history.read_text() + json.dumps(place.sam("deploy"))


def _talk(place: Deployed) -> str:
    with shell({**place.environ, "PWD": str(Path.cwd())}, place.history) as person:
        person.type(COMMAND)
        if "bytecode" in person.wait_for("Which ones", "Deploy without bytecode"):
            # This machine has no such Python.
            person.type("yes")
            person.wait_for("Which ones")
        person.type("openai")
        _answer_secret(person)
        person.wait_for("READY> ")
        return person.displayed


def _answer_secret(person: Shell) -> None:
    person.wait_for("The key for OpenAI, not displayed: ")
    person.type(TYPED)


async def test_an_environment_needs_no_editing(place: Deployed, provider: Upstream) -> None:
    """``ENV=staging`` has its own stack and secrets; SAM gets both regions; a second run keeps."""
    for _ in range(2):
        provider.answer(*complete("hi"))
    status, output = await place.run(
        "--provider",
        "openai",
        "--keys-stdin",
        "--parameter",
        "MemorySize=1024",
        given="openai=sk-one\n",
    )
    assert status == 0, output
    deployed = place.sam("deploy")
    stack = deployed["arguments"].index("--stack-name")
    assert deployed["arguments"][stack + 1] == "tokenwire-staging"
    overrides = deployed["arguments"][deployed["arguments"].index("--parameter-overrides") + 1 :]
    assert set(overrides) == {
        f"SecretsPath={PATH}", "Architecture=arm64", "OpenAIKey=true", "AnthropicKey=false",
        "GeminiKey=false", "MemorySize=1024",
    }  # fmt: skip
    assert "--no-confirm-changeset" in deployed["arguments"]
    regions = [deployed["environ"][name] for name in ("AWS_REGION", "AWS_DEFAULT_REGION")]
    assert regions == ["us-east-1", "us-east-1"]

    first = place.secrets()
    status, output = await place.run("--yes")
    assert status == 0, output
    assert place.secrets() == first
    assert "openai-api-key: kept" in output
    assert "printed this once" not in output
    assert "OpenAIKey=true" in place.sam("deploy")["arguments"]


async def test_what_is_missing_ends_it_before_anything_is_built(place: Deployed) -> None:
    """Without a key nothing is written or deployed; a malformed line is not quoted."""
    status, output = await place.run("--yes", "--provider", "anthropic")
    assert status == 1
    assert f"nor in {PATH}/anthropic-api-key" in output
    status, output = await place.run("--keys-stdin", "--provider", "openai", given="sk-secret\n")
    assert status == 1
    assert "Line 1 of stdin is not PROVIDER=KEY." in output
    assert "sk-secret" not in output
    assert place.secrets() == {}
    assert not (place.folder / "build.json").exists()


async def test_callers_key_is_printed_even_if_sam_fails(place: Deployed) -> None:
    """It is stored by then, and no later run prints it; SAM's failure is one line."""
    environ = {**place.environ, "STANDIN_FAILS": "build"}
    failing = Deployed(environ, place.folder, place._ssm)
    status, output = await failing.run("--provider", "openai", "--keys-stdin", given="openai=sk\n")
    assert status == 1
    assert f"printed this once: {place.secrets()[f'{PATH}/api-keys']}" in output
    assert "make deploy: sam build failed; its output above says why." in output
    assert not (place.folder / "deploy.json").exists()


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"AWS_DEFAULT_REGION": "eu-west-1"}, "AWS_REGION is us-east-1, but AWS_DEFAULT_REGION is"),
        ({"AWS_REGION": ""}, "There is no region"),
        ({"AWS_ACCESS_KEY_ID": ""}, "There are no usable AWS credentials"),
    ],
)
async def test_account_is_checked_first(
    changed: dict[str, str], text: str, place: Deployed
) -> None:
    """One line says what to set; there is no traceback."""
    environ = {name: v for name, v in {**place.environ, **changed}.items() if v}
    environ["AWS_EC2_METADATA_DISABLED"] = "true"
    status, output = await Deployed(environ, place.folder, place._ssm).run("--yes")
    assert status == 1
    assert re.search(rf"^make deploy: .*{text}", output, re.MULTILINE)
    assert "Traceback" not in output
