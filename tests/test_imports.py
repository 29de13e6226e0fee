"""The house rules of ``docs/architecture.md``: which room may import which."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path("functions/proxy/tokenwire")

# A room, and the rooms that it may import from. Inside a room every import is allowed.
TABLE: dict[str, set[str]] = {
    "errors": set(),
    "events": set(),
    "sse": set(),
    "clock": set(),
    "hotpath": set(),
    "redaction": set(),
    "rules": {"errors", "spelling"},
    "spelling": set(),
    "references": {"errors"},
    "registries": {"auth", "dialects", "plugins", "providers", "stores"},
    "sources": {"errors"},
    "settings": {
        "auth",
        "errors",
        "providers",
        "references",
        "registries",
        "rules",
        "sources",
        "stores",
        "streams",
    },
    "configuration": {
        "parameters",
        "references",
        "registries",
        "secrets",
        "settings",
        "sources",
    },
    "parameters": {"errors"},
    "secrets": {"errors", "parameters", "references"},
    "plugins": {"errors"},
    "dialects": {"errors", "events", "plugins", "sse"},
    "stores": {"clock", "errors", "events", "plugins"},
    "streams": {"clock", "dialects", "errors", "events", "hotpath", "sse", "stores"},
    "providers": {
        "dialects",
        "errors",
        "events",
        "hotpath",
        "plugins",
        "redaction",
        "references",
        "sse",
    },
    "telemetry": {"errors", "settings"},
    "auth": {"errors", "plugins", "references"},
    "gateway": {
        "auth",
        "clock",
        "dialects",
        "errors",
        "events",
        "providers",
        "settings",
        "spelling",
        "stores",
        "streams",
        "telemetry",
    },
    "http": {
        "auth",
        "dialects",
        "errors",
        "events",
        "gateway",
        "hotpath",
        "settings",
        "stores",
        "streams",
        "telemetry",
    },
    "web": set(),
    "provision": {"errors", "providers", "references", "secrets", "settings", "stores"},
    "composition": {
        "",
        "auth",
        "configuration",
        "errors",
        "gateway",
        "http",
        "provision",
        "references",
        "registries",
        "secrets",
        "settings",
        "stores",
        "streams",
        "telemetry",
    },
    "front": {"composition"},
    "app": {
        "",
        "composition",
        "errors",
        "gateway",
        "http",
        "registries",
        "secrets",
        "settings",
        "stores",
        "telemetry",
    },
    "lambda_handler": {"app", "composition", "configuration", "front"},
    "server": {"hotpath", "settings"},
    "local": {"configuration", "errors", "settings"},
    "cli": {
        "",
        "app",
        "auth",
        "composition",
        "configuration",
        "errors",
        "front",
        "gateway",
        "local",
        "provision",
        "references",
        "server",
        "settings",
        "stores",
        "telemetry",
    },
    "__main__": {"cli"},
    "__init__": set(),
}
# Of these rooms, only the named modules may be imported by the other room.
ONLY = {
    ("streams", "dialects"): {"dialects.protocol"},
    ("gateway", "providers"): {"providers.protocol"},
    ("settings", "streams"): {"streams.policy"},
}
# Routes parse, call the gateway and render: of the other rooms they may import these alone. Of
# the dialects, only the names of a package.
ROUTES = {"auth", "dialects", "gateway"}
# The rooms that may use a web framework, themselves or through another one. ``cli`` starts the app,
# and imports no framework itself.
FRAMEWORK = {"app", "composition", "front", "http", "lambda_handler"}
STARTERS = {"cli"}


def modules() -> Iterator[tuple[str, Path]]:
    """Every module's dotted name inside the package, and its file."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        yield ".".join(p for p in parts if p != "__init__") or "__init__", path


def imported(name: str, path: Path) -> Iterator[tuple[int, str]]:
    """The package's own modules that a module imports, with the line."""
    here = name.split(".") if path.name == "__init__.py" else name.split(".")[:-1]
    if name == "__init__":
        here = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = here[: len(here) - node.level + 1]
            module = ".".join([*base, *(node.module or "").split(".")]).strip(".")
            for alias in node.names:
                deeper = ".".join(filter(None, [module, alias.name]))
                yield node.lineno, deeper if is_module(deeper) else module
        elif isinstance(node, ast.ImportFrom | ast.Import):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for found in names:
                if found.split(".")[0] == "tokenwire":
                    yield node.lineno, found.removeprefix("tokenwire").strip(".")


def is_module(dotted: str) -> bool:
    """Whether this dotted name is a file of the package."""
    at = PACKAGE.joinpath(*dotted.split("."))
    return at.with_suffix(".py").is_file() or (at / "__init__.py").is_file()


@pytest.mark.parametrize(("name", "path"), list(modules()), ids=str)
def test_rooms_keep_their_doors(name: str, path: Path) -> None:
    """A module imports only from the rooms that its own may open."""
    room = name.split(".")[0]
    assert room in TABLE, f"{path}: the room {room} is not in the table"
    for line, target in imported(name, path):
        other = target.split(".")[0]
        if other == room:
            continue
        assert other in TABLE[room], f"{path}:{line}: {room} may not import {other}"
        allowed = ONLY.get((room, other))
        assert not allowed or target in allowed, f"{path}:{line}: {room} may not import {target}"


def test_routes_import_only_the_gateway() -> None:
    """Routes import the gateway, ``auth``, the edge's own modules and packages of dialects."""
    for name, path in modules():
        if not name.startswith("http.routes"):
            continue
        for line, target in imported(name, path):
            room = target.split(".")[0]
            assert room == "http" or room in ROUTES, f"{path}:{line}: routes import {target}"
            is_package = (PACKAGE / Path(*target.split("."))).is_dir()
            assert room != "dialects" or is_package, f"{path}:{line}: routes import {target}"


def test_a_request_record_is_only_written() -> None:
    """Outside of ``recording`` nothing reads a field of the log line: decisions need a context."""
    for name, path in modules():
        if name.split(".")[0] not in {"gateway", "http"} or name == "gateway.recording":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Attribute(value=ast.Attribute(attr="log"), ctx=ast.Load()):
                    pytest.fail(f"{path}:{node.lineno} reads the record")


def test_table_has_no_cycle() -> None:
    """Rooms are built on rooms below them."""
    done: set[str] = set()
    while len(done) < len(TABLE):
        ready = {room for room, doors in TABLE.items() if room not in done and doors - {""} <= done}
        assert ready, f"a cycle among {sorted(set(TABLE) - done)}"
        done |= ready


def test_only_the_edge_knows_a_web_framework() -> None:
    """No other room imports Starlette or FastAPI, or a room that does."""
    for room, doors in TABLE.items():
        assert room in FRAMEWORK | STARTERS or not doors & FRAMEWORK, room
    for name, path in modules():
        if name.split(".")[0] in FRAMEWORK:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            found = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            found += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not {"starlette", "fastapi"} & {f.split(".")[0] for f in found}, path


ON_FIRST_USE = {
    *(f"providers.{name}" for name in ("bounds", "certificates", "connection", "failures")),
    *(f"providers.{name}" for name in ("http", "pool")),
    "providers.bedrock.chain",
    "providers.bedrock.sigv4",
    "stores.redis.exchange",
    "stores.redis.flusher",
    "stores.redis.group",
    "stores.redis.pool",
}


def test_sdks_are_imported_on_use() -> None:
    """No module imports a provider's SDK, or boto3, before it is needed."""
    lazy = {"openai", "httpx2", "boto3", "botocore", "redis"}
    for name, path in modules():
        if name in ON_FIRST_USE:
            continue  # themselves imported on first use
        for node in ast.parse(path.read_text()).body:
            found = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            found += (
                [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            )
            assert not lazy & {f.split(".")[0] for f in found}, f"{path}:{node.lineno}"


def test_references_are_resolved_for_any_dialect() -> None:
    """How requests refer to earlier items is declared by a dialect; the use case knows none."""
    found = {
        other for _, other in imported("gateway.references", PACKAGE / "gateway/references.py")
    }
    assert {other for other in found if other.startswith("dialects")} == {"dialects.protocol"}
