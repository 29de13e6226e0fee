"""The function's entry point: the app as a Lambda handler, and the worker beside it.

Importing it builds the app, in the init phase, where Lambda gives a whole CPU.
"""

from __future__ import annotations

from lambda_asgi import Handler

from .app import create_app

app = create_app()
handler = Handler(app, on_event=app.state.worker)
