"""The function's entry point: the app as a Lambda handler, and the handler of worker events.

Importing it builds the app during the init phase, when Lambda provides a full CPU.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pydantic import BaseModel

from lambda_asgi import Context, Handler, UnsupportedEvent


@contextmanager
def _models_on_first_use() -> Iterator[None]:
    """Let the pydantic models that are imported in here build their validators on first use.

    FastAPI imports its models of OpenAPI documents with itself, and no request but one for
    ``/openapi.json`` needs them: a tenth of the start.
    """
    BaseModel.model_config["defer_build"] = True
    try:
        yield
    finally:
        del BaseModel.model_config["defer_build"]


with _models_on_first_use():
    from .app import from_environment

app = from_environment()


async def on_event(event: Mapping[str, Any], context: Context) -> dict[str, str]:
    """Run the stream that a request has handed over.

    Raises:
        UnsupportedEvent: The function did not send the event itself.
    """
    if not app.state.worker.takes(event):
        raise UnsupportedEvent("this function takes HTTP events, and those it sends to itself")
    result: dict[str, str] = await app.state.worker(event, context)
    return result


handler = Handler(app, on_event=on_event)
