"""Settings: from the environment, ``.env`` and ``tokenwire.toml``, checked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tokenwire.errors import ProxyError
from tokenwire.plugins import published
from tokenwire.providers.settings import KeySettings
from tokenwire.provision import (
    off,
    otel_names,
    providers,
    roles,
    stand_in_model,
    store,
    store_timeout,
)
from tokenwire.registries import Registries
from tokenwire.secrets import Secrets
from tokenwire.settings import load
from tokenwire.sources import environment
from tokenwire.stores.dynamodb.store import DynamoDBStore
from tokenwire.stores.memory import MemoryStore
from tokenwire.stores.redis.store import RedisStore
from tokenwire.stores.registry import load_store_kinds
from tokenwire.streams.policy import OnDisconnect

NOWHERE = Path("/nonexistent")


def bad(environ: dict[str, str], folder: Path = NOWHERE) -> str:
    """The message that refuses these settings."""
    with pytest.raises(ProxyError) as caught:
        load(environ, folder)
    assert caught.value.code == "bad_setting"
    return caught.value.message


STORES = load_store_kinds(published())


def test_nothing_is_needed() -> None:
    """The defaults make a server for this machine, with the demo."""
    settings = load({}, NOWHERE)
    assert (settings.host, settings.port, settings.demo) == ("127.0.0.1", 8000, True)
    assert settings.providers == {}
    assert settings.on_disconnect is None


def test_environment_is_read() -> None:
    """Numbers, durations with units, lists and words."""
    settings = load(
        {
            "TOKENWIRE_PORT": "9",
            "TOKENWIRE_HEARTBEAT": "250ms",
            "TOKENWIRE_TIMEOUT_TOTAL": "15m",
            "TOKENWIRE_TIMEOUT_IDLE": "30",
            "TOKENWIRE_API_KEYS": "key-one-of-tests, key-two-of-tests,,",
            "TOKENWIRE_DEMO": "false",
            "TOKENWIRE_AUTH": "none",
            "PATH": "/bin",
        },
        NOWHERE,
    )
    assert (settings.port, settings.heartbeat, settings.timeout_total) == (9, 0.25, 900.0)
    assert (settings.timeout_idle, settings.api_keys) == (
        30.0,
        ("key-one-of-tests", "key-two-of-tests"),
    )
    assert (settings.demo, settings.auth) == (False, "none")


def test_key_turns_provider_on() -> None:
    """A provider's own variable is enough; an empty one is none."""
    settings = load({"OPENAI_API_KEY": "sk-x", "OPENAI_BASE_URL": "http://h/v1"}, NOWHERE)
    assert settings.providers["openai"].secrets() == {"key": "env:OPENAI_API_KEY"}
    assert settings.providers["openai"].base_url == "http://h/v1"
    assert load({"OPENAI_API_KEY": ""}, NOWHERE).providers == {}


def test_file_is_read_and_environment_wins(tmp_path: Path) -> None:
    """Providers and aliases live in the file; what both say, the environment decides."""
    (tmp_path / "tokenwire.toml").write_text(
        'port = 1\nheartbeat = 3\n[models]\nfast = "groq/llama"\n'
        '[providers.groq]\nbase_url = "https://g/v1"\nkey = "ssm:/llm/groq"\n'
        "[providers.openai]\nmax_retries = 0\n"
    )
    settings = load({"TOKENWIRE_PORT": "2", "OPENAI_API_KEY": "sk-x"}, tmp_path)
    assert (settings.port, settings.heartbeat) == (2, 3.0)
    assert settings.models["fast"].route == ("groq/llama",)
    assert settings.providers["groq"].secrets() == {"key": "ssm:/llm/groq"}
    assert settings.providers["openai"].max_retries == 0
    assert settings.providers["openai"].secrets() == {"key": "env:OPENAI_API_KEY"}


@pytest.mark.parametrize(
    ("environ", "says"),
    [
        ({"TOKENWIRE_PORT": "many"}, "TOKENWIRE_PORT must be a whole number"),
        ({"TOKENWIRE_PORT": "70000"}, "TOKENWIRE_PORT must be a whole number <= 65535"),
        ({"TOKENWIRE_HEARTBEAT": "0"}, "TOKENWIRE_HEARTBEAT must be a number"),
        ({"TOKENWIRE_HEARTBEAT": "soon"}, "a duration such as 250ms, 30s or 5m"),
        ({"TOKENWIRE_AUTH": "sometimes"}, "TOKENWIRE_AUTH must be one of keys, none"),
        ({"TOKENWIRE_LOG_LEVEL": "info"}, "one of DEBUG, INFO, WARNING, ERROR; did you mean INFO?"),
        ({"TOKENWIRE_DURABILITY": "sends"}, "one of send, commit; did you mean send?"),
        ({"TOKENWIRE_DEMO": "sometimes"}, "TOKENWIRE_DEMO must be true or false"),
        ({"TOKENWIRE_HARTBEAT": "5"}, "did you mean TOKENWIRE_HEARTBEAT?"),
        ({"TOKENWIRE_XYZZY": "5"}, "there is no setting TOKENWIRE_XYZZY"),
        ({"TOKENWIRE_PROVIDERS": "x"}, "use tokenwire.toml"),
        ({"TOKENWIRE_CONFIG": "/nonexistent/a.toml"}, "which does not exist"),
        ({"TOKENWIRE_CONFIG": "/"}, "cannot be read"),
        ({"TOKENWIRE_HEARTBEAT": "nan"}, "TOKENWIRE_HEARTBEAT"),
        ({"TOKENWIRE_HEARTBEAT": "25h"}, "<= 86400"),
        ({"TOKENWIRE_AUTH": "a - at sometimes\n"}, "TOKENWIRE_AUTH"),
        ({"TOKENWIRE_ON_DISCONNECT": "sometimes"}, "cancel, continue or grace=SECONDS"),
    ],
)
def test_mistakes_are_named(environ: dict[str, str], says: str) -> None:
    """The message names the setting, and does not repeat what was in it."""
    message = bad(environ)
    assert says in message
    assert "sometimes" not in message


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("port = ", "is not TOML"),
        ("prot = 1", "did you mean port?"),
        ("providers = 5", "providers"),
        ("[providers.x]\nkind = 'telepathy'", "providers"),
        ("[providers.x]\nkey_ = 'sk-secret'", "key_"),
        ("[providers]\nx = 5", "providers"),
        ("[providers.x]\nkey = 'sk-secret'", "env:NAME or ssm:/path"),
        ("[providers.x]\nkey = 'ssm:secret'", "env:NAME or ssm:/path"),
    ],
)
def test_file_mistakes_are_named(tmp_path: Path, text: str, says: str) -> None:
    """Likewise in the file."""
    (tmp_path / "tokenwire.toml").write_text(text)
    message = bad({}, tmp_path)
    assert says in message
    assert "secret" not in message


def test_file_writes_as_environment_does(tmp_path: Path) -> None:
    """A duration with its unit and a list with commas mean the same in both."""
    (tmp_path / "tokenwire.toml").write_text(
        'heartbeat = "30s"\ncors_origins = "https://a.b, http://c"\n'
    )
    settings = load({}, tmp_path)
    assert (settings.heartbeat, settings.cors_origins) == (
        30.0,
        ("https://a.b", "http://c"),
    )


@pytest.mark.parametrize("text", ["", "cancel", "continue", "grace=30", "grace(1.5)"])
def test_policies_are_those_of_streams(text: str) -> None:
    """What is accepted here is what a stream understands; empty leaves it to the route."""
    assert load({"TOKENWIRE_ON_DISCONNECT": text}, NOWHERE).on_disconnect == text
    if text:
        OnDisconnect.parse(text)


def test_file_must_be_utf8(tmp_path: Path) -> None:
    """Neither file can be read in another encoding; the message names it."""
    for name in ("tokenwire.toml", ".env"):
        (tmp_path / name).write_bytes(b'host = "\xff"\n')
    assert "tokenwire.toml cannot be read" in bad({}, tmp_path)
    with pytest.raises(ProxyError, match=r"\.env cannot be read"):
        environment({}, tmp_path)


def test_dotenv_adds_to_environment(tmp_path: Path) -> None:
    """``.env`` fills gaps; comments and quotes are understood."""
    (tmp_path / ".env").write_text("# c\n  # E=5\nA=1\n  export B='two'\nC=\"3\"\nnonsense\nD=4\n")
    assert environment({"A": "real"}, tmp_path) == {"A": "real", "B": "two", "C": "3", "D": "4"}
    assert environment({"A": "1"}, NOWHERE) == {"A": "1"}


def test_dotenv_values_as_other_tools_read_them(tmp_path: Path) -> None:
    """A comment behind a value ends it, quotes may span lines, and ``$`` is a character."""
    lines = ["A=1 # one", "B='x#y'", 'C="two', 'lines"', "D=pa$$word${HOME}", "E="]
    (tmp_path / ".env").write_text("\n".join(lines))
    found = environment({}, tmp_path)
    assert found == {"A": "1", "B": "x#y", "C": "two\nlines", "D": "pa$$word${HOME}", "E": ""}


def test_repr_hides_everything() -> None:
    """Settings in a traceback show no key."""
    settings = load(
        {"TOKENWIRE_API_KEYS": "key-secret-of-tests", "TOKENWIRE_SECRET": "x" * 20}, NOWHERE
    )
    assert repr(settings) == "Settings(…)"
    assert repr(KeySettings(headers={"api-key": "secret"})) == "KeySettings(…)"


def test_store_is_an_address(tmp_path: Path) -> None:
    """One setting; its value, which may hold a password, may be a reference."""
    for given, kind in (
        ("memory://", MemoryStore),
        ("redis://h:1/2", RedisStore),
        ("rediss://user:pass@h?cluster=true", RedisStore),
        ("dynamodb://my-table.x", DynamoDBStore),
    ):
        assert isinstance(store(load({"TOKENWIRE_STORE": given}, tmp_path), str, STORES), kind)
        by_reference = load({"TOKENWIRE_STORE": "env:THERE"}, tmp_path)
        assert isinstance(
            store(by_reference, {"env:THERE": f" {given}\n"}.__getitem__, STORES), kind
        )


@pytest.mark.parametrize("given", ["", "redis", "http://h", "dynamodb://", "dynamodb://a b"])
def test_other_stores_are_refused(given: str, tmp_path: Path) -> None:
    """The message has the accepted forms, and not the value."""
    with pytest.raises(ProxyError) as caught:
        load({"TOKENWIRE_STORE": given}, tmp_path)
    assert "memory://, redis://HOST" in str(caught.value)
    with pytest.raises(ProxyError) as caught:
        store(load({"TOKENWIRE_STORE": "ssm:/x"}, tmp_path), lambda _: given or "env:AGAIN", STORES)
    assert caught.value.code == "bad_setting"
    assert "a b" not in str(caught.value)


@pytest.mark.parametrize("given", ['key = "env:K"', 'headers = { a = "b" }', 'query = { a = "b" }'])
def test_bedrock_takes_no_key(given: str, tmp_path: Path) -> None:
    """What would not be sent is refused, and not ignored."""
    (tmp_path / "tokenwire.toml").write_text(f'[providers.aws]\nkind = "bedrock"\n{given}\n')
    field = given.partition(" ")[0]
    message = bad({}, tmp_path)
    assert f"unknown field `{field}` - at providers.aws, which has: kind," in message
    assert message.endswith("region, list_url.")


@pytest.mark.parametrize("name", ["TOKENWIRE_API_KEYS", "TOKENWIRE_SECRET", "OPENAI_API_KEY"])
@pytest.mark.parametrize(
    "value",
    [
        "ssm:name-without-a-slash",
        "ssm:/path with spaces/hunter2",
        "SSM:/tokenwire/api-keys",
        "env:",
        "env:NOT-A-NAME-hunter2",
        "env: NAME_OF_A_VARIABLE",
        "arn:aws:ssm:us-east-1:1:parameter/hunter2",
        "${NAME_OF_A_VARIABLE}",
        "$NAME_OF_A_VARIABLE",
        "{{resolve:ssm:/tokenwire/hunter2}}",
    ],
)
def test_reference_cannot_become_a_secret(name: str, value: str) -> None:
    """What looks like a reference and is none stops the start; the message names the variable."""
    message = bad({name: value})
    assert message.startswith(f"Bad setting: {name} looks like a reference and is none")
    assert "hunter2" not in message


@pytest.mark.parametrize("field", ["headers", "query"])
def test_reference_cannot_become_a_header(tmp_path: Path, field: str) -> None:
    """The same where a provider's headers and query may hold references."""
    (tmp_path / "tokenwire.toml").write_text(f'[providers.x]\n{field} = {{ team = "ssm:name" }}\n')
    assert f"providers.x.{field}.team looks like a reference" in bad({}, tmp_path)


@pytest.mark.parametrize("name", ["TOKENWIRE_API_KEYS", "TOKENWIRE_SECRET"])
def test_secrets_have_a_least_length(name: str) -> None:
    """Fifteen characters are too few, sixteen are enough, here and where a variable leads."""
    assert f"{name} must have at least 16 characters" in bad({name: "x" * 15})
    assert f"{name} (env:THERE) must have at least" in bad({name: "env:THERE", "THERE": "x"})
    assert "leads to another reference" in bad({name: "env:THERE", "THERE": "env:ELSEWHERE"})
    load({name: "x" * 16}, NOWHERE)
    load({name: "env:THERE", "THERE": "x" * 16}, NOWHERE)
    load({name: "env:NOT_SET"}, NOWHERE)
    load({name: "ssm:/tokenwire/api-keys"}, NOWHERE)


def test_one_short_key_is_enough_to_stop() -> None:
    """A list is as weak as its shortest key."""
    assert "at least 16" in bad({"TOKENWIRE_API_KEYS": f"{'x' * 32},y"})


def test_answer_of_a_store_costs_no_lease() -> None:
    """Two seconds; a third of a lease where that is less; and always one."""
    assert [store_timeout(lease) for lease in (10.0, 6.0, 4.5, 3.0, 1.0)] == [2, 2, 1.5, 1, 1]


@pytest.mark.parametrize(
    "origin",
    [
        "https://app.example/",
        "https://app.example/path",
        "app.example",
        "//app.example",
        "https://App.example",
        "https://me@app.example",
        "https://",
        "null",
        "https://app.example:port",
    ],
)
def test_origin_that_no_browser_sends(origin: str) -> None:
    """It would never match, so it is refused; the message shows the form."""
    message = bad({"TOKENWIRE_CORS_ORIGINS": f"https://right.example,{origin}"})
    assert message.startswith("Bad setting: TOKENWIRE_CORS_ORIGINS: an origin is scheme://host")
    assert "app.example," not in message


@pytest.mark.parametrize(
    "origin", ["*", "https://a.example:8443", "http://[::1]:3000", "chrome-extension://abc"]
)
def test_origins_of_browsers(origin: str) -> None:
    """Any scheme, a port, an address; or every origin."""
    assert load({"TOKENWIRE_CORS_ORIGINS": origin}, NOWHERE).cors_origins == (origin,)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[models]\nbest = 'anthropic/x'", "anthropic, which is off: ANTHROPIC_API_KEY is not set"),
        ("[models]\nbest = 'opena/x'", "opena, which is not configured; did you mean openai?"),
        (
            "[models.best]\nroute = ['openai/x', 'unknown/y']",
            "models.best names the provider unknown",
        ),
        (
            "default_model = 'none/y'",
            "default_model in tokenwire.toml names the provider none",
        ),
        ("demo = false\ndefault_model = 'demo/fast'", "demo, which is off: the setting demo is"),
        ("[providers.x]\nkind = 'opnai'", "providers.x.kind must be one of openai,"),
        ("[providers.x]\nkind = 'opnai'", "; did you mean openai?"),
        ("[providers.x]\nbase_urls = 'x'", "; did you mean base_url?"),
    ],
)
def test_providers_that_are_not_there(tmp_path: Path, text: str, says: str) -> None:
    """An alias, a default or a kind of nothing is refused, with the reason or the nearest name."""
    (tmp_path / "tokenwire.toml").write_text(text)
    assert says in bad({"OPENAI_API_KEY": "sk-x"}, tmp_path)


def test_names_that_may_be_anything(tmp_path: Path) -> None:
    """Bare names, aliases of aliases, ARNs; and any prefix where a provider takes foreign names."""
    names = "a = 'openai/x'\nb = 'a'\nc = 'gpt-5'\nd = 'arn:aws:bedrock:x::inference-profile/y'\n"
    (tmp_path / "tokenwire.toml").write_text(f"[models]\n{names}")
    assert len(load({"OPENAI_API_KEY": "sk-x"}, tmp_path).models) == 4
    router = "[providers.router]\nforeign_names = true\nbase_url = 'http://h'\n"
    (tmp_path / "tokenwire.toml").write_text(f"{router}[models]\na = 'vendor/x'\n")
    assert load({}, tmp_path).models["a"].route == ("vendor/x",)


@pytest.mark.parametrize("name", ["TOKENWIRE_CONFIG", "TOKENWIRE_STORE"])
def test_reference_without_its_slash(name: str) -> None:
    """``ssm:name`` is neither a file nor the address of a store."""
    message = bad({name: "ssm:hunter2"})
    assert message.startswith(f"Bad setting: {name} looks like a reference and is none")
    assert "hunter2" not in message


def test_key_of_one_character() -> None:
    """It is a mistake with a provider's own service; servers that check no key often get one."""
    assert "OPENAI_API_KEY is too short to be a key" in bad({"OPENAI_API_KEY": "x"})
    load({"OPENAI_API_KEY": "x", "OPENAI_BASE_URL": "http://127.0.0.1:8000/v1"}, NOWHERE)
    load({"OPENAI_API_KEY": "xy"}, NOWHERE)


def test_key_that_was_copied_shortened() -> None:
    """No header can carry it, so the start says which variable it is, and does not quote it."""
    message = bad({"OPENAI_API_KEY": "sk-proj…"})
    assert "OPENAI_API_KEY has a character outside ASCII" in message
    assert "sk-proj" not in message


@pytest.mark.parametrize(
    ("value", "fault"),
    [("sk-proj…", "a character outside ASCII"), ("sk-project\n", "a line end")],
)
def test_key_that_no_header_can_carry(value: str, fault: str, tmp_path: Path) -> None:
    """A provider of the file is checked like one that a variable turns on; so are its headers."""
    file = tmp_path / "tokenwire.toml"
    file.write_text("[providers.groq]\nkey = 'env:THE_KEY'")
    message = bad({"THE_KEY": value}, tmp_path)
    assert message.startswith(f"Bad setting: providers.groq.key (env:THE_KEY) has {fault}")
    assert "sk-proj" not in message
    file.write_text(f"[providers.groq]\nheaders = {{ x-team = {json.dumps(value)} }}")
    assert f"providers.groq.headers.x-team has {fault}" in bad({}, tmp_path)
    file.write_text("[providers.groq]\nquery = { team = 'é' }")
    load({}, tmp_path)


def test_setting_is_named_as_it_was_written(tmp_path: Path) -> None:
    """By the variable, the key of its file, or the option; the last of them wins."""
    (tmp_path / "tokenwire.toml").write_text("port = 'many'")
    assert "port in tokenwire.toml must be" in bad({}, tmp_path)
    assert "TOKENWIRE_PORT must be" in bad({"TOKENWIRE_PORT": "x"}, tmp_path)
    with pytest.raises(ProxyError, match="--port must be a whole number"):
        load({"TOKENWIRE_PORT": "1"}, tmp_path, options={"port": "x"})
    assert load({"TOKENWIRE_PORT": "1"}, tmp_path, options={"port": "2"}).port == 2


@pytest.mark.parametrize(
    ("kind", "on"),
    [("gemini-native", "gemini"), ("bedrock-openai", "bedrock"), ("openai", "openai")],
)
def test_other_way_to_a_provider_is_not_off(tmp_path: Path, kind: str, on: str) -> None:
    """While one kind of a family is on, the others are not missing."""
    key = "" if kind.startswith("bedrock") else "key = 'env:K'"
    (tmp_path / "tokenwire.toml").write_text(f"[providers.mine]\nkind = '{kind}'\n{key}")
    registries = Registries.load()
    missing = off(load({}, tmp_path, registries=registries), registries.providers)
    assert set(missing) == {"openai", "anthropic", "gemini", "bedrock"} - {on}


def test_demo_is_off_on_lambda() -> None:
    """A deployment without a key must not answer from a script, unless a setting says so."""
    on_lambda = {"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001"}
    assert (load({}, NOWHERE).demo, load(on_lambda, NOWHERE).demo) == (True, False)
    assert load({**on_lambda, "TOKENWIRE_DEMO": "true"}, NOWHERE).demo is True


def test_providers_are_not_asked_while_a_request_waits() -> None:
    """Environments that start on demand ask for nothing at their start; others do."""
    on_lambda = {"AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9001"}
    ahead = {**on_lambda, "AWS_LAMBDA_INITIALIZATION_TYPE": "provisioned-concurrency"}
    found = [load(environ, NOWHERE).check_providers for environ in ({}, on_lambda, ahead)]
    assert found == [True, False, True]


def test_stand_in_in_the_file(tmp_path: Path) -> None:
    """The demo is a kind like others; another instance of it gets no bare names either."""
    (tmp_path / "tokenwire.toml").write_text("[providers.slow]\nkind = 'demo'\npace = 5")
    settings, kinds = load({}, tmp_path), Registries.load().providers
    assert [role.is_stand_in for role in roles(settings, kinds).values()] == [True, True]
    assert stand_in_model(roles(settings, kinds)) == "slow/markdown"
    assert list(providers(settings, Secrets({}), kinds)) == ["slow", "demo"]


def test_conventional_names_of_renamed_providers(tmp_path: Path) -> None:
    """A provider's kind tells OpenTelemetry's name of it, whatever its own name is."""
    (tmp_path / "tokenwire.toml").write_text(
        '[providers.google]\nkind = "gemini-native"\nkey = "env:G"\n'
        '[providers.local]\nkind = "openai"\nbase_url = "http://127.0.0.1:1/v1"\n'
    )
    found = otel_names(load({}, tmp_path), Registries.load().providers)
    assert found == {"google": "gcp.gemini"}
