"""What is measured: tokenwire in its ways to run, what it is compared with, and how each starts."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

from tests.stores.servers import NotHere, Server, redis

from .generator import Generator, Missing
from .processes import Running, free_port, pinned, run, started_on_any_port

_LITELLM = Path(".cache/litellm/bin/litellm")
_PORTKEY = Path("benchmarks/node/node_modules/@portkey-ai/gateway/build/start-server.js")


@dataclass(frozen=True, slots=True)
class Bench:
    """The place where programs are started.

    Args:
        stack: Ends them.
        folder: For their files.
        provider: The scripted provider, which all send their requests to.
        cores: Those that they run on.
        generator: Has the baseline proxy.
    """

    stack: ExitStack
    folder: Path
    provider: Running
    cores: tuple[int, ...]
    generator: Generator | None = None

    @property
    def url(self) -> str:
        """The provider's base URL."""
        return f"http://127.0.0.1:{self.provider.port}/v1"

    @classmethod
    def opened(cls, stack: ExitStack, folder: Path, generator: Generator, core: int) -> Bench:
        """Start the generator's provider on the generator's core; the rest runs on ``core``."""
        command = pinned([generator.core], [str(generator.path), "upstream"])
        port, pid = started_on_any_port(stack, command)
        return cls(stack, folder, Running("provider", port, pid), (core,), generator)

    def start(
        self, command: Sequence[str], port: int, environ: Mapping[str, str] | None = None
    ) -> int:
        """Start a server on its cores, and wait until it listens; return its process id."""
        return run(self.stack, pinned(self.cores, command), port, environ)


Start: TypeAlias = Callable[[Bench], Running]


def tokenwire(bench: Bench, name: str = "tokenwire", **environ: str) -> Running:
    """Start it as ``make run`` does, with its log, ids, metrics and request lines on."""
    port = free_port()
    settings = {
        "OPENAI_API_KEY": "sk-x",
        "OPENAI_BASE_URL": bench.url,
        "TOKENWIRE_PORT": str(port),
        "TOKENWIRE_AUTH": "none",
        "TOKENWIRE_MAX_TOTAL_BYTES": str(2**31),
        "TOKENWIRE_HEARTBEAT": "600",
        "TOKENWIRE_TIMEOUT_IDLE": "600",
        **environ,
    }
    pid = bench.start([sys.executable, "-m", "tokenwire"], port, settings)
    # As the others: some dialects let a stream go on for a while, for a client that returns.
    return Running(name, port, pid, "openai/", ("x-tokenwire-on-disconnect: cancel",))


def with_redis(bench: Bench) -> Running:
    """Start it with a store in Redis, which is not counted.

    Raises:
        Missing: There is no Redis.
    """
    return tokenwire(bench, "with Redis", TOKENWIRE_STORE=_redis(bench).url)


def four_workers(bench: Bench) -> Running:
    """Start four processes on one port, with the store that they need."""
    environ = {"TOKENWIRE_STORE": _redis(bench).url, "TOKENWIRE_WORKERS": "4"}
    every = replace(bench, cores=tuple(os.sched_getaffinity(0)))
    return tokenwire(every, "4 workers, Redis", **environ)


def _redis(bench: Bench) -> Server:
    folder = bench.folder / f"redis-{free_port()}"
    folder.mkdir()
    try:
        server = redis(folder)
    except NotHere as error:
        raise Missing(str(error)) from None
    server.start()
    bench.stack.callback(server.stop)
    return server


def typed_loop(bench: Bench) -> Running:
    """Start FastAPI's StreamingResponse around the SDK's typed chunks."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.typed_loop", str(port)]
    return Running("typed loop", port, bench.start(command, port, {"OPENAI_BASE_URL": bench.url}))


def go_proxy(bench: Bench) -> Running:
    """Start the baseline: ``net/http``, one read and one flush for each block."""
    assert bench.generator is not None
    target = f"http://127.0.0.1:{bench.provider.port}"
    command = [str(bench.generator.path), "proxy", "-target", target]
    port, pid = started_on_any_port(bench.stack, pinned(bench.cores, command))
    return Running("Go net/http", port, pid)


def nginx(bench: Bench) -> Running:
    """Start nginx, unbuffered.

    Raises:
        Missing: It is not installed.
    """
    found = shutil.which("nginx", path="/usr/sbin:/usr/bin")
    if found is None:
        raise Missing("nginx is not installed")
    port = free_port()
    conf = bench.folder / "nginx.conf"
    template = Path(__file__).with_name("nginx.conf").read_text()
    values = {"FOLDER": str(bench.folder), "PORT": str(port), "MOCK": str(bench.provider.port)}
    conf.write_text(_filled(template, values))
    command = [found, "-p", str(bench.folder), "-c", str(conf)]
    return Running("nginx", port, bench.start(command, port))


def _filled(text: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        text = text.replace(f"@{name}@", value)
    return text


def litellm(bench: Bench) -> Running:
    """Start LiteLLM's proxy, one worker, as its guide for production recommends.

    Raises:
        Missing: It is not installed.
    """
    if not _LITELLM.exists():
        raise Missing("LiteLLM is not installed: make bench-peers installs it")
    port = free_port()
    config = bench.folder / "litellm.yaml"
    config.write_text(
        'model_list: [{model_name: "*", litellm_params: '
        f'{{model: "openai/*", api_base: "{bench.url}", api_key: sk-x}}}}]\n'
    )
    flags = ["--config", str(config), "--host", "127.0.0.1", "--port", str(port)]
    command = [str(_LITELLM.absolute()), *flags, "--num_workers", "1", "--telemetry", "False"]
    environ = {
        "LITELLM_MODE": "PRODUCTION",
        "LITELLM_LOG": "ERROR",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        # No key, as for the others here.
        "LITELLM_DANGEROUSLY_PERMIT_WEAK_OR_UNSET_MASTER_KEY": "true",
    }
    return Running("LiteLLM", port, bench.start(command, port, environ))


def portkey(bench: Bench) -> Running:
    """Start Portkey's gateway on Node.

    Raises:
        Missing: It is not installed.
    """
    if not _PORTKEY.exists() or not (node := shutil.which("node")):
        raise Missing("Portkey's gateway is not installed: make bench-peers installs it")
    port = free_port()
    command = [node, str(_PORTKEY.absolute()), f"--port={port}", "--headless"]
    environ = {"NODE_ENV": "production", "TRUSTED_CUSTOM_HOSTS": "127.0.0.1,localhost"}
    pid = bench.start(command, port, environ)
    headers = ("x-portkey-provider: openai", f"x-portkey-custom-host: {bench.url}")
    return Running("Portkey", port, pid, headers=(*headers, "authorization: Bearer sk-x"))
