"""What a request leaves behind: one log line, and numbers."""

from .emf import Emf
from .function import FunctionRecord, freezes, function_of, seconds_left
from .metrics import Metrics
from .record import Instants, RequestLog, StreamRecord, write

__all__ = [
    "Emf",
    "FunctionRecord",
    "Instants",
    "Metrics",
    "RequestLog",
    "StreamRecord",
    "freezes",
    "function_of",
    "seconds_left",
    "write",
]
