"""OpenTelemetry: traces and metrics by the GenAI conventions, sent by OTLP.

Only an app with the setting ``otel`` imports the SDK, which the extra ``tokenwire[otel]`` installs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ...errors import ProxyError
from ..tracing import Tracing


def create(
    version: str,
    providers: Mapping[str, str],
    open_streams: Callable[[], int],
    open_viewers: Callable[[], int],
) -> Tracing:
    """Return the tracing of an app; the SDK reads ``OTEL_…`` variables.

    Args:
        version: Of tokenwire.
        providers: The conventional name of each provider that has one, by our name.
        open_streams: Called at each export.
        open_viewers: Likewise.

    Raises:
        ProxyError: The packages are not installed (``bad_setting``).
    """
    try:
        from .exporting import tracing
    except ImportError as error:
        raise ProxyError(
            "TOKENWIRE_OTEL is on, but OpenTelemetry is not installed: "
            "pip install 'tokenwire[otel]'.",
            code="bad_setting",
        ) from error
    return tracing(version, providers, open_streams, open_viewers)
