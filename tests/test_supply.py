"""What the project installs: pinned, and checked against a hash."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

OUR_OWN = {".", "layers/lambda_asgi"}
SCRIPTS = [*Path("scripts").glob("*.sh"), Path("Makefile")]
REQUIREMENTS = sorted(Path("scripts/requirements").glob("*.txt"))
NODE_LOCKS = [
    path for path in Path("tests").glob("*/package-lock.json") if "node_modules" not in path.parts
] + [
    Path("page/package-lock.json"),
    Path("benchmarks/node/package-lock.json"),
    *Path("examples").glob("*/package-lock.json"),
]
OUR_PACKAGE = "file:../../clients/js"


def commands(path: Path) -> list[str]:
    """A script's lines, with those that are continued put together."""
    return path.read_text().replace("\\\n", " ").splitlines()


@pytest.mark.parametrize("path", SCRIPTS, ids=str)
def test_scripts_install_by_hash(path: Path) -> None:
    """``pip install`` asks for hashes, ``uv sync`` and ``npm`` take their lock as it is."""
    for line in commands(path):
        if "pip install" in line:
            assert "--require-hashes" in line, line
        if "uv sync" in line or '/uv" sync' in line:
            assert "--frozen" in line, line
        assert not re.search(r"\bnpm (install|i)\b|\bnpx\b|\bcurl\b|\bwget\b|\buvx\b", line), line


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: path.stem)
def test_tools_have_hashes(path: Path) -> None:
    """Each tool is one version, and each of its files has a hash."""
    entries = [line for line in commands(path) if line and not line.startswith("#")]
    assert entries
    for line in entries:
        assert re.match(r"[\w.-]+==[\w.]+ .*--hash=sha256:[0-9a-f]{64}", line), line


def test_python_packages_have_hashes() -> None:
    """Every file that the lock names has a hash; what builds the project is among them."""
    packages = tomllib.loads(Path("uv.lock").read_text())["package"]
    assert "hatchling" in {package["name"] for package in packages}
    for package in packages:
        files = [*package.get("wheels", ()), *filter(None, [package.get("sdist")])]
        assert files or package["source"].get("editable") in OUR_OWN
        assert all(file["hash"].startswith("sha256:") for file in files), package["name"]


@pytest.mark.parametrize("path", NODE_LOCKS, ids=lambda path: path.parent.name)
def test_node_packages_have_hashes(path: Path) -> None:
    """Every package of a Node lock has an integrity."""
    packages = json.loads(path.read_text())["packages"]
    others = [p for name, p in packages.items() if name and p.get("resolved") != OUR_PACKAGE]
    assert all("sha512-" in found["integrity"] for found in others)
