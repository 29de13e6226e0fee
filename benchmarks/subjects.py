"""The measured processes, and their resource use as reported by the kernel."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

_NGINX = """
daemon off; master_process off; pid {folder}/pid; error_log stderr crit;
events {{ worker_connections 16384; }}
http {{
  access_log off;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  upstream provider {{ server 127.0.0.1:{mock}; keepalive 64; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://provider; proxy_http_version 1.1; proxy_set_header Connection "";
      proxy_buffering off;
    }}
  }}
}}
"""


@dataclass(frozen=True, slots=True)
class Subject:
    """One process. ``pid`` is 0 for the provider itself, called directly."""

    name: str
    port: int
    pid: int = 0

    def cpu(self) -> float:
        """CPU seconds used so far by all its threads."""
        tasks = Path(f"/proc/{self.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9

    def memory(self) -> int:
        """Resident bytes."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def started(*, only_provider: bool = False) -> Iterator[dict[str, Subject]]:
    """The provider, and everything that stands in front of it."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        mock = _run(stack, "provider", [sys.executable, "-m", "benchmarks.mock"], {})
        upstream = {"OPENAI_BASE_URL": f"http://127.0.0.1:{mock.port}/v1"}
        found = {"provider": Subject("provider", mock.port)}
        if only_provider:
            yield found
            return
        port = _free_port()
        environ = {
            **upstream,
            "OPENAI_API_KEY": "sk-x",
            "TOKENWIRE_PORT": str(port),
            "TOKENWIRE_MAX_TOTAL_BYTES": str(2**30),
            "TOKENWIRE_HEARTBEAT": "600",
            "TOKENWIRE_TIMEOUT_IDLE": "600",
        }
        found["tokenwire"] = _run(
            stack, "tokenwire", [sys.executable, "-m", "tokenwire"], environ, port
        )
        found["typed loop"] = _run(
            stack, "typed loop", [sys.executable, "-m", "benchmarks.typed_loop"], upstream
        )
        if nginx := shutil.which("nginx", path="/usr/sbin:/usr/bin"):
            port = _free_port()
            conf = Path(folder, "nginx.conf")
            conf.write_text(_NGINX.format(folder=folder, port=port, mock=mock.port))
            found["nginx"] = _run(stack, "nginx", [nginx, "-p", folder, "-c", str(conf)], {}, port)
        yield found


def _run(
    stack: ExitStack, name: str, command: list[str], environ: dict[str, str], port: int = 0
) -> Subject:
    if not port:
        port = _free_port()
        command = [*command, str(port)]
    # Log lines are still written: they are part of a request's cost.
    process = subprocess.Popen(
        command,
        env={**os.environ, **environ},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    stack.callback(process.wait)
    stack.callback(process.kill)
    for _ in range(400):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return Subject(name, port, process.pid)
        time.sleep(0.05)
    raise RuntimeError(f"{name} did not start")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        found: int = probe.getsockname()[1]
        return found
