"""``tokenwire doctor``: what cannot be used is found, with what to do; no secret is printed."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Iterator
from email.utils import formatdate
from pathlib import Path

import pytest

from tests.fakes.parameters import Parameters
from tests.fakes.ports import reserved_port
from tests.fakes.upstream import upstream
from tests.stores.servers import Server
from tokenwire import provision
from tokenwire.cli.findings import of_clock, of_references, of_region
from tokenwire.configuration import Configuration
from tokenwire.gateway.checks import Check, Status, checked
from tokenwire.providers.settings import KeySettings
from tokenwire.registries import Registries
from tokenwire.secrets import Secrets
from tokenwire.settings import Settings

from .running import Ended, run

SECRET = "hunter2-hunter2-hunter2"
LIST = json.dumps({"data": [{"id": "m-1"}, {"id": "m-2"}]}).encode()


@pytest.fixture(autouse=True)
def level() -> Iterator[None]:
    """Restore the level of the process's logger, which the command sets to ERROR."""
    logger = logging.getLogger("tokenwire")
    before = logger.level
    yield
    logger.setLevel(before)


async def doctor(folder: Path, **environ: str) -> Ended:
    """The command, beside the servers of this test's event loop."""
    return await asyncio.to_thread(run, folder, "doctor", **environ)


async def test_refusing_and_dead_providers(tmp_path: Path) -> None:
    """A provider that answers 401, one that is not there, and one that works."""
    (tmp_path / "tokenwire.toml").write_text(
        f"[providers.dead]\nbase_url = 'http://127.0.0.1:{reserved_port()}/v1'\n"
        "key = 'env:THE_KEY'\n[providers.groq]\nkey = 'env:GROQ_API_KEY'\n"
    )
    async with upstream() as refusing, upstream() as good:
        refusing.answer(json.dumps({"error": {"message": SECRET}}).encode(), status=401)
        good.answer(LIST, headers={"date": formatdate(usegmt=True)})
        found = await doctor(
            tmp_path,
            OPENAI_API_KEY=SECRET,
            OPENAI_BASE_URL=refusing.base_url,
            ANTHROPIC_API_KEY=SECRET,
            ANTHROPIC_BASE_URL=good.base_url,
            THE_KEY=SECRET,
        )
        requests = [(one.method, one.path) for one in (*refusing.requests, *good.requests)]
    lines = found.output.splitlines()
    assert found.status == 1
    assert "bad openai: key refused (401)" in lines
    assert "      correct env:OPENAI_API_KEY, or make a new key at the provider" in lines
    assert "bad dead: The provider could not be reached." in lines
    assert "bad groq: GROQ_API_KEY is not set" in lines
    assert "      give env:GROQ_API_KEY a value, or remove the provider" in lines
    assert "ok  anthropic: 2 models" in lines
    assert "ok  clock: agrees with the providers'" in lines
    assert requests == [("GET", "/v1/models"), ("GET", "/v1/models?limit=1000")]
    assert "hunter2" not in found.output


async def test_all_is_well(tmp_path: Path) -> None:
    """Without a key there is the demo, and nothing to mend."""
    found = await doctor(tmp_path)
    assert found.status == 0
    assert "bad" not in found.output
    assert "ok  gemini: off: GEMINI_API_KEY is not set" in found.output
    assert "ok  store: memory: in this process" in found.output


async def test_store_that_does_not_answer(tmp_path: Path) -> None:
    """The password in its address is not printed."""
    url = f"redis://me:{SECRET}@127.0.0.1:{reserved_port()}"
    found = await doctor(tmp_path, TOKENWIRE_STORE="env:THERE", THERE=url)
    assert found.status == 1
    assert "bad store: redis: " in found.output
    assert "hunter2" not in found.output


async def test_key_that_no_header_can_carry() -> None:
    """It is found before the provider is called, which it would look to be unreachable for."""
    settings = Settings(providers={"groq": KeySettings(kind="openai", key="ssm:/llm/groq")})
    secrets = Secrets({}, store=Parameters(groq="sk-proj…"))
    found = Configuration(settings, secrets, Registries.load())
    (finding,) = [one async for one in of_references(found)]
    assert finding.subject == "ssm:/llm/groq"
    assert finding.detail.startswith("Bad setting: ssm:/llm/groq has a character outside ASCII")
    assert finding.cure
    providers = provision.providers(settings, secrets, found.registries.providers)
    check = await checked(providers["groq"])
    assert (check.status, check.detail) == (Status.NO_KEY, finding.detail)
    await providers["groq"].aclose()


async def test_wrong_setting_is_one_line(tmp_path: Path) -> None:
    """There is nothing to ask with it."""
    found = await doctor(tmp_path, TOKENWIRE_PORT="many")
    assert found.output == "tokenwire: Bad setting: TOKENWIRE_PORT must be a whole number."


@pytest.mark.parametrize(
    ("environ", "needs", "found"),
    [
        ({"AWS_REGION": "a", "AWS_DEFAULT_REGION": "b"}, False, "set both to the same region"),
        ({"AWS_REGION": "a", "AWS_DEFAULT_REGION": "a"}, True, ""),
        ({"AWS_DEFAULT_REGION": "a"}, True, ""),
        ({}, True, "set AWS_REGION and AWS_DEFAULT_REGION"),
        ({"AWS_PROFILE": "p"}, True, ""),
        ({}, False, ""),
    ],
)
def test_region(environ: dict[str, str], needs: bool, found: str) -> None:
    """Two variables that disagree send requests to two regions."""
    assert of_region(environ, needs_aws=needs).cure == found


@pytest.mark.parametrize(
    ("dates", "detail"),
    [
        ([], "not compared: no provider has sent its time"),
        (["no date"], "not compared: no provider has sent its time"),
        ([formatdate(1000)], "agrees with the providers'"),
        ([formatdate(900)], "100 seconds ahead of the providers'"),
        ([formatdate(5000), formatdate(1200)], "200 seconds behind the providers'"),
    ],
)
def test_clock(dates: list[str], detail: str) -> None:
    """Compared with the provider that is nearest: one wrong clock elsewhere is not this one."""
    checks = [Check(Status.OK, "", date=date) for date in dates]
    assert of_clock(checks, 1000).detail == detail


async def test_store_in_aws(tmp_path: Path) -> None:
    """With DynamoDB named a region is needed; half of the credentials are no traceback."""
    found = await doctor(
        tmp_path, TOKENWIRE_STORE="env:TABLE", TABLE="dynamodb://none", AWS_ACCESS_KEY_ID="x"
    )
    assert "bad region: none is set" in found.output
    assert "bad store: dynamodb: " in found.output


def test_any_page_without_a_key(tmp_path: Path) -> None:
    """Every origin together with no keys is a finding; with keys it is not."""
    open_to_all = run(tmp_path, "doctor", TOKENWIRE_CORS_ORIGINS="*", TOKENWIRE_AUTH="none")
    assert "bad CORS: any page anywhere" in open_to_all.output
    with_keys = run(tmp_path, "doctor", TOKENWIRE_CORS_ORIGINS="*", TOKENWIRE_API_KEYS="k" * 16)
    assert "ok  CORS: *" in with_keys.output


@pytest.mark.outside
async def test_store_is_written_and_read(
    tmp_path: Path, server_of: Callable[[str], Server]
) -> None:
    """A store that works is printed by its kind alone."""
    found = await doctor(tmp_path, TOKENWIRE_STORE=server_of("redis").url)
    assert found.status == 0
    assert "ok  store: redis: writes and reads" in found.output
