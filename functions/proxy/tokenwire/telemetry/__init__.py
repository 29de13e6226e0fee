"""What a request leaves behind: one log line, and numbers."""

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
