"""The environment is read in one place: not by ``create_app`` when it is given settings."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes.plugins import installed, package
from tokenwire.app import create_app
from tokenwire.registries import Registries
from tokenwire.secrets import Secrets
from tokenwire.settings import load

PACKAGE = Path("functions/proxy/tokenwire")
NOWHERE = Path("/nonexistent")


def run(program: str, folder: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """The program in a Python process of its own, in this folder and environment."""
    places = os.pathsep.join(
        str(Path(p).resolve()) for p in ("functions/proxy", "layers/lambda_asgi")
    )
    named = {"PATH": os.environ["PATH"], "PYTHONPATH": places, **environ}
    return subprocess.run(
        [sys.executable, "-c", program], cwd=folder, env=named, capture_output=True, text=True
    )


@pytest.mark.outside
def test_settings_given_are_all(tmp_path: Path) -> None:
    """Neither variables, nor ``.env``, nor ``tokenwire.toml`` of the process change a given app."""
    (tmp_path / ".env").write_bytes(b"\xff")
    (tmp_path / "tokenwire.toml").write_text("prot = 1")
    program = (
        "from tokenwire.app import create_app\n"
        "from tokenwire.settings import Settings\n"
        "print(create_app(Settings()).state.services.catalog.status)"
    )
    done = run(program, tmp_path, TOKENWIRE_PORT="many", OPENAI_API_KEY="sk-x")
    assert (done.stdout, done.stderr) == ("{'demo': 'chat'}\n", "")


@pytest.mark.outside
def test_without_settings_the_process_is_read(tmp_path: Path) -> None:
    """The factory for servers reads variables, ``.env`` and ``tokenwire.toml``."""
    (tmp_path / ".env").write_text("ANTHROPIC_API_KEY=sk-y\n")
    (tmp_path / "tokenwire.toml").write_text("demo = false\n")
    program = (
        "from tokenwire.app import from_environment\n"
        "print(list(from_environment().state.services.catalog.status))"
    )
    done = run(program, tmp_path, OPENAI_API_KEY="sk-x")
    assert (done.stdout, done.stderr) == ("['openai', 'anthropic']\n", "")


def test_one_reader_of_the_environment() -> None:
    """Of the app only ``configuration`` names the process's environment or working directory.

    ``local`` passes the environment on to a function; ``telemetry.workers`` sets a variable that
    prometheus_client reads.
    """
    readers = {
        str(path.relative_to(PACKAGE))
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv", "cwd"}
        if isinstance(node.value, ast.Name) and node.value.id in {"os", "Path"}
    }
    assert readers == {"configuration.py", "local/__main__.py", "telemetry/workers.py"}


@pytest.mark.outside
def test_only_the_kinds_that_are_on_are_imported(tmp_path: Path) -> None:
    """Settings import no codec of a provider; an app imports those of its own providers."""
    program = (
        "import sys\n"
        "import tokenwire.settings\n"
        "names = ['openai', 'anthropic', 'gemini', 'bedrock']\n"
        "on = lambda: [n for n in names if f'tokenwire.providers.{n}.provider' in sys.modules]\n"
        "print(on())\n"
        "from tokenwire.app import create_app\n"
        "print(on())\n"
        "create_app()\n"
        "print(on(), 'dotenv' in sys.modules)"
    )
    done = run(program, tmp_path, ANTHROPIC_API_KEY="sk-x")
    assert done.stdout == "[]\n[]\n['anthropic'] False\n", done.stderr


def test_published_objects_are_imported_once(tmp_path: Path) -> None:
    """An app that is given its registries looks for no packages again."""
    package(
        tmp_path, "toys", {"tokenwire.providers": {"toy": "tests.plugins.toy_provider:KIND"}}, {}
    )
    with installed(tmp_path):
        registries = Registries.load()
    environ = {"TOY_KEY": "open sesame"}
    settings = load(environ, NOWHERE, registries=registries)
    app = create_app(settings, Secrets(environ), registries=registries)
    assert list(app.state.services.catalog.status) == ["toy", "demo"]


def test_every_kind_and_method_is_documented() -> None:
    """``docs/operate.md`` has each kind of provider, and each way of authenticating."""
    text = Path("docs/operate.md").read_text()
    found = Registries.load()
    for name in found.providers:
        assert f'"{name}"' in text or f"`{name}`" in text, name
    for name in found.auth:
        assert f"`{name}`" in text, name


@pytest.mark.outside
def test_aws_variables_of_dotenv_reach_aws_libraries(tmp_path: Path) -> None:
    """boto3 reads the process's environment: a profile in ``.env`` counts for it too."""
    (tmp_path / ".env").write_text("AWS_ACCESS_KEY_ID=x\nAWS_SECRET_ACCESS_KEY=y\nAWS_REGION=r\n")
    program = (
        "from tokenwire.configuration import Configuration\n"
        "found = Configuration.of_process({'port': '7'})\n"
        "from botocore.session import Session\n"
        "print(Session().get_credentials().access_key, list(found.settings.providers),"
        " found.settings.port, 'wins' in repr(found))"
    )
    done = run(program, tmp_path, TOKENWIRE_PORT="8", AWS_ACCESS_KEY_ID="wins")
    assert (done.stdout, done.stderr) == ("wins ['bedrock'] 7 False\n", "")
