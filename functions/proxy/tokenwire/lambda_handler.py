"""The function's entry point: the app as a Lambda handler, and the handler of worker events.

Importing it builds the app during the init phase, when Lambda provides a full CPU.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from starlette.types import ASGIApp

from lambda_asgi import Context, Handler, UnsupportedEvent

from .composition import compose
from .configuration import is_awaited
from .front import Deferred, front

_composition = compose()


def _rest() -> ASGIApp:
    with _models_on_first_use():
        from .app import routed
    return routed(_composition)


@contextmanager
def _models_on_first_use() -> Iterator[None]:
    """Let the pydantic models that are imported in here build their validators on first use.

    FastAPI imports its models of OpenAPI documents with itself, and no request but one for
    ``/openapi.json`` needs them.
    """
    from pydantic import BaseModel

    BaseModel.model_config["defer_build"] = True
    try:
        yield
    finally:
        del BaseModel.model_config["defer_build"]


rest = Deferred(_rest)
"""Most environments serve the page and start streams; none of that needs FastAPI."""
if not is_awaited():
    rest.prepare()
app = front(_composition, rest)


async def on_event(event: Mapping[str, Any], context: Context) -> dict[str, str]:
    """Run the stream that a request has handed over.

    Raises:
        UnsupportedEvent: The function did not send the event itself.
    """
    if not _composition.worker.takes(event):
        raise UnsupportedEvent("this function takes HTTP events, and those it sends to itself")
    return await _composition.worker(event, context)


handler = Handler(app, on_event=on_event)
