"""The command line's grammar: verbs, their options, help, completion."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from tokenwire import __version__
from tokenwire.cli.commands import tokenwire

VERBS = ["check", "completion", "doctor", "lambda", "serve"]


def run(*arguments: str, **environ: str | None) -> str:
    """What the command prints."""
    return CliRunner(env=environ).invoke(tokenwire, arguments, prog_name="tokenwire").output


def test_help_lists_the_verbs() -> None:
    """``--help`` shows each verb with a sentence; each verb has a help of its own."""
    listed = run("--help").partition("Commands:\n")[2].splitlines()
    assert [line.split()[0] for line in listed if line.startswith("  ")][: len(VERBS)] == VERBS
    for verb in VERBS:
        assert f"Usage: tokenwire {verb}" in run(verb, "--help")


def test_version() -> None:
    """``--version`` is one line."""
    assert run("--version") == f"tokenwire {__version__}\n"


def test_serve_may_be_left_out() -> None:
    """An option without a verb is one of ``serve``."""
    refused = run("--hots", "x")
    assert "Usage: tokenwire serve" in refused
    assert "--host" in refused


def test_unknown_verb_is_refused() -> None:
    """It is not taken for an option of ``serve``."""
    assert "No such command 'srve'" in run("srve")


@pytest.mark.parametrize("shell", ["bash", "fish", "zsh"])
def test_completion_script(shell: str) -> None:
    """Each shell has its script, which calls the command by its name."""
    assert f"_TOKENWIRE_COMPLETE={shell}_complete" in run("completion", shell)


def test_completion_offers_verbs() -> None:
    """At ``tokenwire <TAB>`` the script offers the verbs, and not the options of one."""
    variables = {
        "_TOKENWIRE_COMPLETE": "bash_complete",
        "COMP_WORDS": "tokenwire ",
        "COMP_CWORD": "1",
    }
    offered = [line.partition(",")[2] for line in run(**variables).splitlines()]
    assert [name for name in offered if name] == VERBS


@pytest.mark.outside
def test_missing_packages_are_named(tmp_path: Path) -> None:
    """Without the extra ``server`` the command says what to install."""
    (tmp_path / "click.py").write_text("raise ModuleNotFoundError(name='click')\n")
    done = subprocess.run(
        [sys.executable, "-c", "from tokenwire.__main__ import main; main()"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr == (
        "tokenwire: click is not installed: pip install 'tokenwire[server]', or run "
        "uvx 'tokenwire[server]'\n"
    )


@pytest.mark.outside
@pytest.mark.parametrize(
    ("variables", "arguments"),
    [((), ""), (("PORT=9",), "--port 9"), (("HOST=::1", "PORT=9"), "--host ::1 --port 9")],
)
def test_make_run_leaves_the_address_to_the_settings(
    variables: tuple[str, ...], arguments: str
) -> None:
    """``make run`` passes an address on only if it is given one: else the settings count."""
    # Without the variables of a make that runs the tests.
    others = ("HOST", "PORT", "MAKEFLAGS", "MAKELEVEL", "MFLAGS")
    kept = {name: value for name, value in os.environ.items() if name not in others}
    done = subprocess.run(
        ["make", "-n", "run", *variables], env=kept, capture_output=True, text=True, check=True
    )
    command = done.stdout.splitlines()[-1].partition("/bin/")[2]
    assert command.split() == f"tokenwire serve {arguments}".split()
