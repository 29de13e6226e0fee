"""The ``messages`` dialect: Anthropic Messages.

https://docs.anthropic.com/en/api/messages-streaming
"""

from __future__ import annotations

from . import carry, checks
from .messages_decoder import MessagesDecoder
from .messages_encoder import MessagesEncoder, error_body
from .messages_fold import fold
from .messages_to_chat import to_chat
from .protocol import ChatRequest, Dialect


def parse(raw: object) -> ChatRequest:
    """A request body. What tokenwire reads itself is checked; all else goes through untouched.

    Raises:
        ClientError: A field is missing or malformed; ``param`` names it.
    """
    body = checks.an_object(raw)
    model = checks.typed(checks.required(body, "model"), str, "model", "a string")
    checks.typed(checks.required(body, "max_tokens"), int, "max_tokens", "an integer")
    found = checks.messages(checks.required(body, "messages"))
    for number, message in enumerate(found):
        if message["role"] not in ("user", "assistant", "system"):
            raise carry.malformed(f"messages[{number}].role", "user, assistant or system")
    said = body.get("stream")
    stream = checks.typed(False if said is None else said, bool, "stream", "a boolean")
    return ChatRequest(model=model, stream=stream, body=body, dialect="messages")


DIALECT = Dialect("messages", MessagesDecoder, MessagesEncoder, parse, error_body, fold, to_chat)
