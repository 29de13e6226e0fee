"""The house rules of ``docs/architecture.md``: which room may import which."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path("functions/proxy/tokenwire")

# A room, and the rooms it may open the door of. Inside a room all is free.
TABLE: dict[str, set[str]] = {
    "errors": set(),
    "events": set(),
    "sse": set(),
    "redaction": set(),
    "wire": {"errors", "events", "sse"},
    "providers": {"errors", "events", "redaction", "sse", "wire"},
    "streams": {"errors", "events", "sse", "wire"},
    "references": {"errors"},
    "settings": {"errors", "references"},
    "secrets": {"errors"},
    "invoker": {"errors"},
    "telemetry": {"errors", "settings"},
    "auth": {"errors", "references", "secrets", "settings"},
    "api": {
        "errors",
        "events",
        "sse",
        "wire",
        "providers",
        "streams",
        "settings",
        "auth",
        "telemetry",
    },
    "web": set(),
    "provision": {"errors", "providers", "references", "secrets", "settings", "streams"},
    "app": {
        "",
        "errors",
        "api",
        "auth",
        "invoker",
        "provision",
        "references",
        "secrets",
        "settings",
        "streams",
        "telemetry",
    },
    "lambda_handler": {"app"},
    "server": {"settings"},
    "__main__": {
        "app",
        "auth",
        "errors",
        "provision",
        "references",
        "secrets",
        "server",
        "settings",
    },
    "__init__": set(),
}
# Doors inside a room that lead further in than guests may go.
ONLY = {
    ("streams", "wire"): {"wire.protocol"},
    # A provider translates requests; streams are read by others.
    ("providers", "wire"): {
        "wire.protocol",
        "wire.origins",
        "wire.anthropic_request",
        "wire.messages_from_chat",
        "wire.converse",
        "wire.converse_whole",
        "wire.converse_request",
        "wire.gemini",
        "wire.gemini_chunks",
        "wire.gemini_request",
        "wire.signatures",
        "wire.turns",
        "wire.whole",
    },
    ("api", "providers"): {"providers.protocol"},
}


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


def test_table_has_no_cycle() -> None:
    """Rooms are built on rooms below them."""
    done: set[str] = set()
    while len(done) < len(TABLE):
        ready = {room for room, doors in TABLE.items() if room not in done and doors - {""} <= done}
        assert ready, f"a cycle among {sorted(set(TABLE) - done)}"
        done |= ready


ON_FIRST_USE = {
    *(f"providers.{name}" for name in ("bounds", "failures", "openai_failures", "http", "sigv4")),
    "streams.redis.pool",
}


def test_sdks_are_imported_on_use() -> None:
    """No module imports a provider's SDK, or boto3, before it is needed."""
    lazy = {"openai", "httpx2", "aiohttp", "boto3", "botocore", "redis"}
    for name, path in modules():
        if name in ON_FIRST_USE:
            continue  # themselves imported on first use
        for node in ast.parse(path.read_text()).body:
            found = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            found += (
                [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            )
            assert not lazy & {f.split(".")[0] for f in found}, f"{path}:{node.lineno}"
