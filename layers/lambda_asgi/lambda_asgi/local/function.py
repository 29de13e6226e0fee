"""What is run: a function's command, its variables and its limits."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

INIT_SECONDS = 10.0
"""Seconds that Lambda gives the init phase, before it tries once more as part of an invocation."""

MAX_STREAMED = 200 * 1024 * 1024
"""Bytes of a streamed response."""

REGION = "us-east-1"
ACCOUNT = "123456789012"


@dataclass(frozen=True, slots=True)
class Function:
    """A function's configuration.

    Args:
        handler: The value of ``_HANDLER``; for our runtime ``module:attribute``.
        environ: Its variables.
        command: The runtime to start; ours if empty.
        directory: The working directory, and ``LAMBDA_TASK_ROOT``; the current one if None.
        timeout: Seconds for an invocation.
        memory_mb: Memory of one environment, in MB.
        concurrency: Invocations at a time in one environment.
        init_seconds: Seconds for the init phase.
        max_streamed: Bytes of a streamed response.
        limits_bandwidth: Whether streamed responses pass no faster than on Lambda.
        name: The function's name.
    """

    handler: str
    environ: Mapping[str, str]
    command: tuple[str, ...] = ()
    directory: Path | None = None
    timeout: float = 30.0
    memory_mb: int = 1024
    concurrency: int = 1
    init_seconds: float = INIT_SECONDS
    max_streamed: int = MAX_STREAMED
    limits_bandwidth: bool = False
    name: str = "local"

    @property
    def region(self) -> str:
        """The region in the function's environment variables."""
        return self.environ.get("AWS_REGION", REGION)

    @property
    def arn(self) -> str:
        """The function's ARN."""
        return f"arn:aws:lambda:{self.region}:{ACCOUNT}:function:{self.name}"

    @property
    def argv(self) -> tuple[str, ...]:
        """The command to start."""
        return self.command or (sys.executable, "-m", "lambda_asgi")

    def process_environ(self, address: str) -> dict[str, str]:
        """The variables of its processes: its own, and those that Lambda sets.

        Args:
            address: Host and port of the Runtime API.
        """
        return self._defaults(address) | {**self.environ} | self._reserved(address)

    def _defaults(self, address: str) -> dict[str, str]:
        return {
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "LAMBDA_ASGI_TRACEBACKS": "1",
            # Where boto3 finds the function, should it invoke itself.
            "AWS_ENDPOINT_URL_LAMBDA": f"http://{address}",
            "TZ": ":UTC",
        }

    def _reserved(self, address: str) -> dict[str, str]:
        many = self.concurrency > 1
        root = str((self.directory or Path.cwd()).resolve())
        reserved = {
            "_HANDLER": self.handler,
            "AWS_LAMBDA_RUNTIME_API": address,
            "AWS_LAMBDA_FUNCTION_NAME": self.name,
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.memory_mb),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "lambda-managed-instances" if many else "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{self.name}",
            "AWS_LAMBDA_LOG_STREAM_NAME": "local",
            "LAMBDA_TASK_ROOT": root,
            "PYTHONUNBUFFERED": "1",
        }
        if many:
            reserved["AWS_LAMBDA_MAX_CONCURRENCY"] = str(self.concurrency)
        if not self.command:
            # Where this package is, for an interpreter that does not have it installed.
            ours = [str(Path(__file__).parents[2]), root if self.directory else ""]
            path = [*ours, self.environ.get("PYTHONPATH", "")]
            reserved["PYTHONPATH"] = ":".join(place for place in path if place)
        return reserved
