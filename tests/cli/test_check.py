"""``tokenwire check``: each mistake is one line that names what the user wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from .running import run

SECRET = "hunter2-hunter2-hunter2"
LOOKS = "looks like a reference and is none; write env:NAME or ssm:/path."
ORIGIN = (
    "TOKENWIRE_CORS_ORIGINS: an origin is scheme://host[:port] in lower case without a path or a "
    "slash at the end, such as https://app.example."
)


@pytest.mark.parametrize(
    ("file", "environ", "says"),
    [
        ("", {"TOKENWIRE_PORT": "http"}, "TOKENWIRE_PORT must be a whole number."),
        (
            "",
            {"TOKENWIRE_LOG_LEVEL": "warn"},
            "TOKENWIRE_LOG_LEVEL must be one of DEBUG, INFO, WARNING, ERROR; did you mean WARNING?",
        ),
        (
            "",
            {"TOKENWIRE_PROT": "9000"},
            "there is no setting TOKENWIRE_PROT; did you mean TOKENWIRE_PORT?",
        ),
        (
            "hart_beat = '5s'",
            {},
            "there is no setting hart_beat; did you mean heartbeat?",
        ),
        (
            "",
            {"TOKENWIRE_CORS_ORIGINS": "https://app.example/page"},
            ORIGIN,
        ),
        (
            "",
            {"TOKENWIRE_CORS_ORIGINS": "app.example"},
            ORIGIN,
        ),
        (
            "",
            {"TOKENWIRE_API_KEYS": "x"},
            "TOKENWIRE_API_KEYS must have at least 16 characters.",
        ),
        ("", {"OPENAI_API_KEY": "x"}, "OPENAI_API_KEY is too short to be a key."),
        ("", {"TOKENWIRE_API_KEYS": f"ssm:{SECRET}"}, f"TOKENWIRE_API_KEYS {LOOKS}"),
        ("", {"OPENAI_API_KEY": f"ssm:{SECRET}"}, f"OPENAI_API_KEY {LOOKS}"),
        (
            "[models]\nbest = 'openia/gpt-5'",
            {"OPENAI_API_KEY": SECRET},
            "models.best names the provider openia, which is not configured; did you mean openai?",
        ),
        (
            "[models]\nbest = 'anthropic/claude'",
            {},
            "models.best names the provider anthropic, which is off: ANTHROPIC_API_KEY is not set.",
        ),
        (
            f"[providers.groq]\nkey = '{SECRET}'",
            {},
            "providers.groq.key must be env:NAME or ssm:/path.",
        ),
        (
            "",
            {"TOKENWIRE_STORE": f"redsi://:{SECRET}@h"},
            "TOKENWIRE_STORE must be, or lead to, one",
        ),
        ("port =", {}, "tokenwire.toml is not TOML: Invalid value"),
        (
            "workers = 2",
            {},
            "With TOKENWIRE_WORKERS=2 a stream must be found from every worker",
        ),
        (
            "host = '0.0.0.0'",
            {},
            "tokenwire will not listen on 0.0.0.0 without keys",
        ),
    ],
)
def test_wrong_configuration(tmp_path: Path, file: str, environ: dict[str, str], says: str) -> None:
    """The exit status is 1, and the message has no value that could be a secret."""
    (tmp_path / "tokenwire.toml").write_text(file)
    found = run(tmp_path, "check", **environ)
    assert found.status == 1
    assert says in found.output
    assert found.output.startswith("tokenwire: ")
    assert len(found.output.splitlines()) == 1
    assert "hunter2" not in found.output


def test_right_configuration(tmp_path: Path) -> None:
    """The providers and every reference are listed, without a value; the status is 0."""
    (tmp_path / ".env").write_text(f"GROQ_API_KEY={SECRET}\nTOKENWIRE_API_KEYS=env:CALLERS\n")
    (tmp_path / "other.toml").write_text(
        "port = 0\n[providers.groq]\nkey = 'env:GROQ_API_KEY'\nbase_url = 'https://g'"
    )
    found = run(tmp_path, "check", "--config", "other.toml", CALLERS=f"{SECRET},{SECRET}2")
    assert (found.status, found.output.splitlines()) == (
        0,
        [
            "ok  settings: right; providers: groq, demo",
            "ok  env:CALLERS: has a value",
            "ok  env:GROQ_API_KEY: has a value",
        ],
    )


def test_reference_to_nothing(tmp_path: Path) -> None:
    """A variable that is not set is found before a request needs it."""
    (tmp_path / "tokenwire.toml").write_text("[providers.groq]\nkey = 'env:GROQ_API_KEY'")
    found = run(tmp_path, "check")
    assert found.status == 1
    assert "bad env:GROQ_API_KEY: There is no value for env:GROQ_API_KEY" in found.output


def test_option_is_named_as_an_option(tmp_path: Path) -> None:
    """Options win over variables, and an error about one names it."""
    found = run(tmp_path, "serve", "--port", "many", TOKENWIRE_PORT="8000")
    assert (found.status, found.output) == (
        1,
        "tokenwire: Bad setting: --port must be a whole number.",
    )
