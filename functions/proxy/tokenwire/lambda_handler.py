"""The function's entry point: the app as a Lambda handler.

Importing it builds the app, in the init phase, where Lambda gives a whole CPU.
"""

from __future__ import annotations

from lambda_asgi import Handler

from .app import create_app

handler = Handler(create_app())
