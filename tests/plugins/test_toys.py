"""Extensions of other packages, through the public HTTP API, without a change inside ours."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.conftest import Serve
from tests.fakes.plugins import installed, package
from tokenwire.app import create_app
from tokenwire.errors import ProxyError
from tokenwire.settings import Settings, load

ASK = {"model": "toy/parrot", "messages": [{"role": "user", "content": "Hello there"}]}
HERE = "tests.plugins"


@pytest.fixture
def toys(tmp_path: Path) -> Iterator[Path]:
    """The toys as an installed package; yields a folder for a configuration file."""
    points = {
        "tokenwire.providers": {"toy": f"{HERE}.toy_provider:KIND"},
        "tokenwire.auth": {"teams": f"{HERE}.toy_auth:METHOD"},
    }
    package(tmp_path, "toys", points, {})
    with installed(tmp_path):
        yield tmp_path


def configured(folder: Path, text: str) -> str:
    """The path of a configuration file with this text."""
    file = folder / "tokenwire.toml"
    file.write_text(text)
    return str(file)


async def answer(client: httpx2.AsyncClient, **headers: str) -> str:
    """The text of the answer to ``ASK``."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    response = await client.post("/v1/chat/completions", json=ASK, headers=named)
    assert response.status_code == 200, response.text
    return str(response.json()["choices"][0]["message"]["content"])


async def test_toy_provider_turned_on_by_the_environment(toys: Path, serve: Serve) -> None:
    """A published kind is on when its own variable is set, and listed with its models."""
    client = await serve(None, TOY_KEY="open sesame")
    assert await answer(client) == "Hellothere."
    listed = [model["id"] for model in (await client.get("/v1/models")).json()["data"]]
    assert "toy/parrot" in listed
    assert "toy" in (await client.get("/readyz")).json()["providers"]


async def test_toy_provider_with_its_own_settings(toys: Path, serve: Serve) -> None:
    """The file configures it as any other, with the settings that only this kind has."""
    text = '[providers.toy]\nkind = "toy"\nkey = "env:SESAME"\nsuffix = "?"\n'
    client = await serve(None, TOKENWIRE_CONFIG=configured(toys, text), SESAME="open sesame")
    assert await answer(client) == "Hellothere?"


async def test_toy_provider_in_another_dialect(toys: Path, serve: Serve) -> None:
    """Its answers and its errors are translated as those of any provider."""
    client = await serve(None, TOY_KEY="open sesame")
    response = await client.post("/v1/messages", json={**ASK, "max_tokens": 9})
    assert response.json()["content"] == [{"type": "text", "text": "Hellothere."}]
    wrong = await serve(None, TOY_KEY="a wrong key")
    refused = await wrong.post("/v1/messages", json={**ASK, "max_tokens": 9})
    assert refused.status_code == 502
    assert refused.json()["type"] == "error"


async def test_toy_provider_off_with_its_reason(toys: Path, serve: Serve) -> None:
    """Without its variable it is listed as off, in its own words."""
    client = await serve(None)
    assert (await client.get("/readyz")).json()["off"]["toy"] == "TOY_KEY is not set"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[providers.x]\nkind = "toy"\n', "Object missing required field `key` - at providers.x"),
        ('[providers.x]\nkind = "toy"\nkey = "sesame"', "must be env:NAME or ssm:/path"),
        ('[providers.x]\nkind = "toys"\n', "providers.x.kind must be one of openai, "),
        ('auth = "team"\n', "must be one of keys, none, teams; did you mean teams?"),
        ('auth = "teams"\n', "Object missing required field `teams` - at auth_options"),
        ("[auth_options]\nteams = {}\n", "unknown field `teams` - at auth_options"),
    ],
)
def test_mistakes_in_their_settings_are_named(toys: Path, text: str, problem: str) -> None:
    """A wrong setting of an extension stops the start and is named, as one of ours is."""
    with pytest.raises(ProxyError) as raised:
        load({"TOKENWIRE_CONFIG": configured(toys, text)}, toys)
    assert raised.value.code == "bad_setting"
    assert problem in raised.value.message


async def test_toy_authenticator(toys: Path, serve: Serve) -> None:
    """A published way of authenticating admits its callers, and keeps their streams apart."""
    text = 'auth = "teams"\n[auth_options.teams]\nred = "env:RED"\nblue = "env:BLUE"\n'
    config = configured(toys, text)
    client = await serve(None, TOKENWIRE_CONFIG=config, TOY_KEY="open sesame", RED="r", BLUE="b")
    for wrong in ("", "red", "red:b", "green:r"):
        refused = await client.post("/v1/chat/completions", json=ASK, headers={"x-team": wrong})
        assert refused.status_code == 401
        assert refused.json()["error"]["code"] == "invalid_api_key"
    assert await answer(client, x_team="red:r") == "Hellothere."
    started = await client.post("/v1/streams", json=ASK, headers={"x-team": "red:r"})
    path = f"/v1/streams/{started.json()['id']}"
    assert (await client.get(path, headers={"x-team": "blue:b"})).status_code == 404
    assert (await client.get(path, headers={"x-team": "red:r"})).status_code == 200
    # The ticket in the URL is enough for as long as its team is configured.
    assert (await client.get(started.json()["url"])).status_code == 200


def test_toy_authenticator_lists_its_callers(toys: Path) -> None:
    """The operator reads at the start who may call."""
    config = configured(toys, 'auth = "teams"\n[auth_options.teams]\nred = "env:RED"\n')
    app = create_app(load({"TOKENWIRE_CONFIG": config}, toys))
    assert app.state.services.authenticate.description == "Callers are one of 1 teams."


@pytest.mark.parametrize("group", ["tokenwire.providers", "tokenwire.auth"])
def test_broken_plugin_stops_the_start(tmp_path: Path, group: str) -> None:
    """An extension that cannot be imported is named; the app is not created without it."""
    package(tmp_path, "faulty", {group: {"bad": "no_such_module:KIND"}}, {})
    with (
        installed(tmp_path),
        pytest.raises(ProxyError, match=f"plugin bad \\({group}\\)") as raised,
    ):
        create_app(Settings())
    assert raised.value.code == "bad_setting"
