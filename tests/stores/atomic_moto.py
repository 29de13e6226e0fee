"""moto's server, one request at a time: on its own, moto does not make conditional writes atomic.

``python tests/stores/atomic_moto.py PORT``
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from threading import Lock
from typing import Any

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import run_simple


class OneAtATime:
    """A WSGI application behind a lock."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._lock = Lock()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """As WSGI calls it."""
        with self._lock:
            answer: Iterable[bytes] = self._app(environ, start_response)
            return answer


if __name__ == "__main__":
    app = OneAtATime(DomainDispatcherApplication(create_backend_app))
    handler: Any = MotoRequestHandler
    run_simple("127.0.0.1", int(sys.argv[1]), app, threaded=True, request_handler=handler)
