"""Telemetry of a request: one log line, and metrics."""

from .emf import Emf
from .function import FunctionRecord, function_of
from .metrics import Metrics
from .record import Instants, RequestLog, StreamRecord, write
from .recorder import Recorder

__all__ = [
    "Emf",
    "FunctionRecord",
    "Instants",
    "Metrics",
    "Recorder",
    "RequestLog",
    "StreamRecord",
    "function_of",
    "write",
]
