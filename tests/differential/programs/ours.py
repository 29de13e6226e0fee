"""The script behind lambda_asgi."""

from lambda_asgi import Handler
from tests.differential.programs.asgi import app

handler = Handler(app)
