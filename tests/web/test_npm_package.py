"""The npm package ``tokenwire``: what ``npm pack`` makes of ``clients/js``, installed and used."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import tarfile
from importlib.resources import files
from pathlib import Path

import pytest

import tokenwire
from tests.conftest import Serve
from tests.fakes.node import HERE, NODE, needs_package

pytestmark = [
    pytest.mark.outside,
    pytest.mark.xdist_group("npm package"),
    needs_package("react"),
]

SOURCE = Path("clients/js")
README = SOURCE / "README.md"
STRICT = {
    "strict": True,
    "skipLibCheck": False,
    "noEmit": True,
    "noUncheckedIndexedAccess": True,
    "exactOptionalPropertyTypes": True,
    "target": "es2022",
    "types": ["node"],
}
PROJECTS = {
    "bundler": {"module": "esnext", "moduleResolution": "bundler", "lib": ["es2022", "dom"]},
    "nodenext": {"module": "nodenext", "moduleResolution": "nodenext", "lib": ["es2022"]},
}


def run(*command: str | Path, at: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a program of Node's in this folder."""
    path = f"{NODE.parent}{os.pathsep}{os.environ['PATH']}"
    return subprocess.run(
        [str(part) for part in command],
        cwd=at,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": path, **environ},
    )


@pytest.fixture(scope="module")
def tarball(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packed package."""
    to = tmp_path_factory.mktemp("packed")
    packed = run("npm", "pack", "--json", "--pack-destination", to, at=SOURCE)
    assert packed.returncode == 0, packed.stderr
    (found,) = to.glob("*.tgz")
    return found


@pytest.fixture(scope="module")
def project(tarball: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the package is installed from its tarball, beside React and the types."""
    at = tmp_path_factory.mktemp("project")
    (at / "package.json").write_text('{"type": "module"}')
    modules = at / "node_modules"
    (modules / "@types").mkdir(parents=True)
    for name in ("react", "react-dom", "happy-dom", "@types/node", "undici-types"):
        (modules / name).symlink_to(HERE.absolute() / "node_modules" / name)
    with tarfile.open(tarball) as archive:
        archive.extractall(modules, filter="data")
    (modules / "package").rename(modules / "tokenwire")
    return at


def test_package_has_the_client_that_the_page_serves(project: Path) -> None:
    """``tokenwire.js`` and its types are the server's own files; nothing else is needed."""
    package = project / "node_modules/tokenwire"
    for name in ("tokenwire.js", "tokenwire.d.ts"):
        assert (package / name).read_bytes() == files("tokenwire.web").joinpath(name).read_bytes()
    assert {path.name for path in package.iterdir()} == {
        *("package.json", "README.md", "LICENSE", "tokenwire.js", "tokenwire.d.ts"),
        *("conversation.js", "conversation.d.ts", "react.js", "react.d.ts"),
    }
    manifest = json.loads((package / "package.json").read_text())
    assert "dependencies" not in manifest
    assert manifest["peerDependenciesMeta"] == {"react": {"optional": True}}
    assert manifest["version"] == tokenwire.__version__


def test_package_s_modules_alone(project: Path) -> None:
    """Run Node's tests of the conversation and of the hook against the installed package."""
    for name in ("conversation", "use_stream", "scripted"):
        (file,) = HERE.glob(f"{name}*.mjs")
        (project / file.name).write_bytes(file.read_bytes())
    tests = ["conversation.test.mjs", "use_stream.test.mjs"]
    package = str(project / "node_modules/tokenwire")
    done = run(NODE, "--test", *tests, at=project, TOKENWIRE_PACKAGE=package)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", PROJECTS)
def test_strict_project_type_checks(name: str, project: Path) -> None:
    """A strict TypeScript project compiles with the package, its libraries checked too."""
    (project / "use.ts").write_bytes((HERE / "types/use.ts").read_bytes())
    config = {"compilerOptions": {**STRICT, **PROJECTS[name]}, "files": ["use.ts"]}
    (project / "tsconfig.json").write_text(json.dumps(config))
    done = run(HERE.absolute() / "node_modules/.bin/tsc", "--project", ".", at=project)
    assert (done.returncode, done.stdout) == (0, "")


def test_package_is_published_right(tarball: Path) -> None:
    """Publint and Are the Types Wrong have nothing to say: ESM only, for each resolution."""
    tools = HERE.absolute() / "node_modules/.bin"
    lint = run(tools / "publint", "--strict", tarball, at=HERE)
    assert lint.returncode == 0, lint.stdout
    assert "All good" in lint.stdout
    types = run(tools / "attw", "--profile", "esm-only", tarball, at=HERE)
    assert types.returncode == 0, types.stdout


async def test_program_of_the_readme_streams(project: Path, serve: Serve) -> None:
    """The README's first example runs in Node, against the demo."""
    client = await serve(TOKENWIRE_DEMO_PACE="10000")
    program = README.read_text().split("```js\n")[1].split("```")[0]
    assert "http://127.0.0.1:8000" in program
    address = str(client.base_url).rstrip("/")
    (project / "program.mjs").write_text(program.replace("http://127.0.0.1:8000", address))
    done = await asyncio.to_thread(run, NODE, "program.mjs", at=project)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Hello" in done.stdout
