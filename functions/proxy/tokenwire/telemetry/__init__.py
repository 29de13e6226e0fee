"""What a request leaves behind: one log line, and numbers."""

from .emf import Emf
from .function import FunctionRecord, arn_of, freezes, function_of, seconds_left
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
    "arn_of",
    "freezes",
    "function_of",
    "seconds_left",
    "write",
]
