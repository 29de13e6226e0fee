"""Telemetry of a request: one log line, and metrics."""

from .counts import ProcessNumbers
from .emf import Emf
from .function import FunctionRecord, function_of
from .metrics import Metrics
from .numbers import Numbers
from .record import Instants, RequestLog, StreamRecord, StreamTimes, is_recordable, write
from .recorder import Recorder
from .tracing import Trace, Tracing

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
    "StreamTimes",
    "Trace",
    "Tracing",
    "function_of",
    "is_recordable",
    "write",
]
