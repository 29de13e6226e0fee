"""Telemetry of a request: one log line, and metrics."""

from .counts import ProcessNumbers
from .emf import Emf
from .function import FunctionRecord, function_of
from .metrics import Metrics
from .numbers import Numbers
from .record import Instants, RequestLog, StreamRecord, write
from .recorder import Recorder

__all__ = [
    "Emf",
    "FunctionRecord",
    "Instants",
    "Metrics",
    "Numbers",
    "ProcessNumbers",
    "Recorder",
    "RequestLog",
    "StreamRecord",
    "function_of",
    "write",
]
