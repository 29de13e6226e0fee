"""ASGI on AWS Lambda, with response streaming: any app, no web server, no adapter binary."""

from .context import Context
from .handler import Handler, UnsupportedEvent

__all__ = ["Context", "Handler", "UnsupportedEvent"]
