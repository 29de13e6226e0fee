"""The two wheels: built, installed into empty environments, and run from there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import httpx2
import pytest

from lambda_asgi.version import VERSION
from tests.http.reading import read
from tokenwire import __version__

pytestmark = [
    pytest.mark.outside,
    pytest.mark.slow,
    pytest.mark.timeout(120),
    pytest.mark.xdist_group("wheels"),
]

UV = Path(".cache/tools/bin/uv").absolute()
ROOTS = {"tokenwire": Path(), "lambda_asgi": Path("layers/lambda_asgi")}


def run(*command: str | Path, cwd: Path | None = None, **environ: str) -> str:
    """What the command prints; it must succeed."""
    done = subprocess.run(
        command, cwd=cwd, env={**clean(), **environ}, capture_output=True, text=True, timeout=240
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def clean() -> dict[str, str]:
    """This process's environment, without what configures Python, AWS or tokenwire."""
    prefixes = ("PYTHON", "TOKENWIRE_", "AWS_", "COVERAGE", "VIRTUAL_ENV")
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(prefixes) and not name.endswith("_API_KEY")
    }


@dataclass(frozen=True)
class Installed:
    """An environment that has one of the wheels, and an empty folder to work in."""

    bin: Path
    folder: Path

    def python(self, program: str) -> str:
        """What the program prints."""
        return run(self.bin / "python", "-c", program, cwd=self.folder).strip()

    @contextmanager
    def started(self, *arguments: str, pattern: str) -> Iterator[str]:
        """Start the command; yield the URL that it prints."""
        process = subprocess.Popen(
            [self.bin / "tokenwire", *arguments],
            cwd=self.folder,
            env={**clean(), "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        assert process.stdout is not None
        try:
            found, lines = None, list[bytes]()
            while found is None and (line := process.stdout.readline()):
                lines.append(line)
                found = re.search(pattern, line.decode())
            assert found is not None, b"".join(lines)
            yield found[1]
        finally:
            process.terminate()
            process.communicate(timeout=30)


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both wheels."""
    folder = tmp_path_factory.mktemp("wheels")
    for root in ROOTS.values():
        run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=root)
    return folder


def installed(folder: Path, wheels: Path, wanted: str) -> Installed:
    """Install a package of these wheels into a new environment, the rest as the lock says."""
    locked = folder / "locked.txt"
    run(UV, "export", "-q", "--frozen", "--no-emit-workspace", "--all-extras", "-o", locked)
    run(UV, "venv", "-q", "--python", sys.executable, folder / "venv")
    install: list[str | Path] = [UV, "pip", "install", "-q", "--python", folder / "venv/bin/python"]
    install += ["--find-links", wheels, "--no-sources", "--constraints", locked]
    run(*install, wanted)
    work = folder / "work"
    work.mkdir()
    return Installed(folder / "venv/bin", work)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, wheels: Path) -> Installed:
    """An environment with ``tokenwire[server]``."""
    return installed(tmp_path_factory.mktemp("server"), wheels, "tokenwire[server]")


def test_layer_needs_no_tokenwire(tmp_path: Path, wheels: Path) -> None:
    """``lambda-asgi`` is imported from its wheel alone, with types and its version."""
    found = installed(tmp_path, wheels, "lambda-asgi")
    program = (
        "import importlib.metadata as m, importlib.util as u, lambda_asgi, pathlib\n"
        "typed = pathlib.Path(lambda_asgi.__file__).with_name('py.typed').exists()\n"
        "print(m.version('lambda-asgi'), typed, u.find_spec('tokenwire'), u.find_spec('h11'))"
    )
    assert found.python(program) == f"{VERSION} True None None"


def test_wheels_hold_their_own_package(wheels: Path) -> None:
    """Each has one package, its licence and its README, and nothing of the repository beside."""
    versions = {"tokenwire": __version__, "lambda_asgi": VERSION}
    for name, version in versions.items():
        with ZipFile(wheels / f"{name}-{version}-py3-none-any.whl") as wheel:
            names = wheel.namelist()
            about = f"{name}-{version}.dist-info"
            assert {entry.partition("/")[0] for entry in names} == {name, about}
            assert f"{about}/licenses/LICENSE" in names
            assert f"{name}/py.typed" in names
            metadata = wheel.read(f"{about}/METADATA").decode()
        assert "Requires-Python: >=3.11" in metadata
        assert f"\n# {name}\n" in metadata


def test_version(server: Installed) -> None:
    """The installed command tells its version."""
    assert run(server.bin / "tokenwire", "--version") == f"tokenwire {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "pattern"),
    [
        (("serve", "--port", "0"), r"tokenwire on (http://\S+)"),
        (("lambda", "--port", "0"), r"function URL: (http://[^/\s]+)"),
    ],
    ids=["serve", "lambda"],
)
def test_installed_command_streams(
    server: Installed, arguments: tuple[str, ...], pattern: str
) -> None:
    """Each of the two servers answers with the page and with a stream of the demo."""
    with (
        server.started(*arguments, pattern=pattern) as url,
        httpx2.Client(base_url=url, trust_env=False, timeout=60) as client,
    ):
        page = client.get("/")
        answer = client.post("/api/stream", json={"message": "hi", "model": "demo/markdown"})
    assert (page.status_code, "<title>tokenwire" in page.text) == (200, True)
    assert read(answer.content)[-1][1] == "[DONE]"


def test_command_without_the_extra(tmp_path: Path, wheels: Path) -> None:
    """Without ``[server]`` the command says what to install; the library is there."""
    found = installed(tmp_path, wheels, "tokenwire")
    assert found.python("from tokenwire.app import create_app; print(create_app.__name__)")
    refused = subprocess.run([found.bin / "tokenwire"], env=clean(), capture_output=True, text=True)
    assert refused.returncode == 1
    assert "pip install 'tokenwire[server]'" in refused.stderr
