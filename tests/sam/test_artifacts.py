"""What ``sam build`` makes: it imports, is complete, and holds nothing that isn't needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sam.conftest import ARCH, run

pytestmark = [pytest.mark.sam, pytest.mark.timeout(300)]


async def test_artifacts_import_on_python_3_13(build: Path) -> None:
    """With the artifacts alone on the path the handler loads, and no server, no boto3 with it."""
    found = await run(["sh", "scripts/find_python.sh", "3.13"])
    if found.status != 0:
        pytest.skip("there is no python3.13 on this machine")
    code = (
        "import sys, json, tokenwire, lambda_asgi, tokenwire.lambda_handler as entry\n"
        "print(json.dumps([type(entry.handler).__name__, tokenwire.__file__, lambda_asgi.__file__,"
        " sorted(set(sys.modules) & {'boto3', 'botocore', 'uvicorn', 'uvloop'})]))"
    )
    path = f"{build}/ProxyFunction:{build}/LambdaAsgiLayer/python"
    ended = await run([found.out.strip(), "-S", "-c", code], PYTHONPATH=path)
    assert ended.status == 0, ended.err
    kind, tokenwire, lambda_asgi, unwanted = ended.json
    assert kind == "Handler"
    assert tokenwire.startswith(f"{build}/ProxyFunction/")
    assert lambda_asgi.startswith(f"{build}/LambdaAsgiLayer/")
    assert unwanted == []


def test_artifacts_hold_no_file_that_is_not_needed(build: Path) -> None:
    """No boto3, no server, no types, no tests, no installer's notes; and no secret files."""
    function, layer = build / "ProxyFunction", build / "LambdaAsgiLayer"
    names = {path.name for path in function.iterdir()} | {
        p.name for p in (layer / "python").iterdir()
    }
    unwanted = {
        "boto3",
        "botocore",
        "uvicorn",
        "uvloop",
        "httptools",
        "moto",
        "bin",
        "httpx",
    }
    assert not unwanted & names
    assert not (layer / "python" / "lambda_asgi" / "local").exists()
    files = [path for top in (function, layer) for path in top.rglob("*") if path.is_file()]
    assert not [path for path in files if path.suffix in {".pyi", ".c", ".h", ".pyx"}]
    assert not [path for path in files if path.name.startswith((".env", "RECORD", "INSTALLER"))]
    assert not [path for path in files if "tests" in path.relative_to(build).parts]
    assert {path.name for path in layer.iterdir()} == {"python", "lambda-asgi"}
    size = sum(path.stat().st_size for path in files) / 2**20
    print(f"{len(files)} files, {size:.1f} MB unzipped")  # noqa: T201
    assert size < 60


def test_every_module_has_bytecode(build: Path) -> None:
    """Compiled for 3.13, by hash and unchecked: a cold start compiles nothing."""
    for top in (build / "ProxyFunction", build / "LambdaAsgiLayer" / "python"):
        for source in top.rglob("*.py"):
            cached = source.parent / "__pycache__" / f"{source.stem}.cpython-313.pyc"
            assert cached.exists(), source
            # https://docs.python.org/3/reference/import.html#pyc-invalidation: bit 0 by hash,
            # bit 1 to check it.
            assert cached.read_bytes()[4:8] == b"\1\0\0\0"


def test_wheels_are_for_the_architecture(build: Path) -> None:
    """Every compiled extension is for the machine that the template names."""
    libraries = [path.name for path in (build / "ProxyFunction").rglob("*.so")]
    machines = {name.split("-")[2].split(".")[0] for name in libraries if "cpython" in name}
    assert machines <= {"x86_64"} or machines <= {"aarch64"}
    assert len(libraries) >= 3


async def test_other_architecture_is_built_here(build: Path, tmp_path: Path) -> None:
    """From any host, for either: the wheels are chosen, not compiled."""
    other, machine = {"x86_64": ("arm64", "aarch64"), "arm64": ("x86_64", "x86_64")}[ARCH]
    ended = await run(["sh", "scripts/artifact.sh", "function", tmp_path / "function"], ARCH=other)
    assert ended.status == 0, ended.err
    libraries = [path.name for path in (tmp_path / "function").rglob("*cpython*.so")]
    assert len(libraries) >= 3
    assert all(machine in name for name in libraries)
