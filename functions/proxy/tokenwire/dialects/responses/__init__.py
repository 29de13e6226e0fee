"""The ``responses`` dialect: OpenAI Responses.

https://platform.openai.com/docs/api-reference/responses-streaming
"""

from __future__ import annotations

from ..chat.encode import error_body
from ..protocol import Dialect
from .decode import ResponsesDecoder
from .encode import ResponsesEncoder
from .fold import fold
from .request import parse, to_chat
from .tools import renamed

__all__ = [
    "DIALECT",
    "ResponsesDecoder",
    "ResponsesEncoder",
    "error_body",
    "fold",
    "parse",
    "to_chat",
]

DIALECT = Dialect(
    "responses", ResponsesDecoder, ResponsesEncoder, parse, error_body, fold, to_chat, renamed
)
