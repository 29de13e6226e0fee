"""What a request leaves behind: one log line, and numbers."""

from .metrics import Metrics
from .record import Instants, RequestLog, StreamRecord, write

__all__ = ["Instants", "Metrics", "RequestLog", "StreamRecord", "write"]
