"""The context of one invocation, under the names that Lambda's own Python runtime uses."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .http1 import Head

_PREFIX = "lambda-runtime-"


@dataclass(frozen=True, slots=True)
class Function:
    """What holds for every invocation of an environment; from its reserved variables."""

    name: str = ""
    version: str = "$LATEST"
    memory_limit_in_mb: int = 128
    log_group_name: str = ""
    log_stream_name: str = ""
    initialization_type: str = "on-demand"

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> Function:
        """Read ``AWS_LAMBDA_…``."""
        return cls(
            name=environ.get("AWS_LAMBDA_FUNCTION_NAME", ""),
            version=environ.get("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            memory_limit_in_mb=int(environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")),
            log_group_name=environ.get("AWS_LAMBDA_LOG_GROUP_NAME", ""),
            log_stream_name=environ.get("AWS_LAMBDA_LOG_STREAM_NAME", ""),
            initialization_type=environ.get("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        )


@dataclass(frozen=True, slots=True)
class Context:
    """One invocation; in an app, ``scope["aws.context"]``.

    Args:
        aws_request_id: Lambda's id of the request.
        deadline_ms: When Lambda will stop the environment, in Unix time in milliseconds.
        invoked_function_arn: As the caller named the function.
        trace_id: The X-Ray trace header, or None where tracing is off.
        invocation_id: To be echoed with the response, where Lambda gives one.
        tenant_id: For functions with tenant isolation.
        client_context: From a mobile SDK, decoded.
        identity: The Cognito identity, decoded.
        cold_start: Whether this is the environment's first invocation.
        function: What holds for every invocation.
    """

    aws_request_id: str
    deadline_ms: int
    invoked_function_arn: str = ""
    trace_id: str | None = None
    invocation_id: str | None = None
    tenant_id: str | None = None
    client_context: Any = None
    identity: Any = None
    cold_start: bool = False
    function: Function = field(default_factory=Function)

    @classmethod
    def of(cls, head: Head, function: Function, *, cold_start: bool) -> Context:
        """Read the headers of an answer to ``/invocation/next``."""

        def header(name: str) -> str | None:
            return head.get(_PREFIX + name) or None

        deadline = header("deadline-ms") or ""
        return cls(
            aws_request_id=header("aws-request-id") or "",
            deadline_ms=int(deadline) if deadline.isdigit() else _ms() + 900_000,
            invoked_function_arn=header("invoked-function-arn") or "",
            trace_id=header("trace-id"),
            invocation_id=header("invocation-id"),
            tenant_id=header("aws-tenant-id"),
            client_context=_json(header("client-context")),
            identity=_json(header("cognito-identity")),
            cold_start=cold_start,
            function=function,
        )

    @classmethod
    def adopt(cls, stock: Any, environ: Mapping[str, str], *, cold_start: bool) -> Context:
        """The same of the stock runtime's context, so that an app meets one type only."""
        return cls(
            aws_request_id=str(getattr(stock, "aws_request_id", "")),
            deadline_ms=_ms() + int(stock.get_remaining_time_in_millis()) if stock else _ms(),
            invoked_function_arn=str(getattr(stock, "invoked_function_arn", "")),
            # The stock runtime takes one invocation at a time: there, a variable is enough.
            trace_id=environ.get("_X_AMZN_TRACE_ID"),
            tenant_id=getattr(stock, "tenant_id", None),
            client_context=getattr(stock, "client_context", None),
            identity=getattr(stock, "identity", None),
            cold_start=cold_start,
            function=Function.of(environ),
        )

    @property
    def function_name(self) -> str:
        """The function's name."""
        return self.function.name

    @property
    def function_version(self) -> str:
        """Its version."""
        return self.function.version

    @property
    def memory_limit_in_mb(self) -> int:
        """The environment's memory, in MB."""
        return self.function.memory_limit_in_mb

    @property
    def log_group_name(self) -> str:
        """Where its lines go."""
        return self.function.log_group_name

    @property
    def log_stream_name(self) -> str:
        """The environment's own part of that."""
        return self.function.log_stream_name

    @property
    def freezes(self) -> bool:
        """Whether the environment stands still once the app has returned, and its tasks with it.

        Not on Managed Instances, where one environment serves many invocations at a time.
        """
        return self.function.initialization_type != "lambda-managed-instances"

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the deadline; 0 once it has passed."""
        return max(0, self.deadline_ms - _ms())


def _ms() -> int:
    return int(time.time() * 1000)


def _json(text: str | None) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return None
