"""The ``ui`` dialect: the protocol of ``useChat`` in the AI SDK.

https://ai-sdk.dev/docs/ai-sdk-ui/stream-protocol
"""

from __future__ import annotations

from ..protocol import Dialect
from .decode import UIDecoder
from .encode import UIEncoder, error_body
from .endpoint import ENDPOINT
from .fold import fold
from .request import parse, to_chat

__all__ = ["DIALECT", "UIDecoder", "UIEncoder", "error_body", "fold", "parse", "to_chat"]

DIALECT = Dialect(
    "ui",
    UIDecoder,
    UIEncoder,
    parse,
    error_body,
    fold,
    to_chat,
    headers={"x-vercel-ai-ui-message-stream": "v1"},
    endpoint=ENDPOINT,
    resumes=True,
    chat_field="id",
)
