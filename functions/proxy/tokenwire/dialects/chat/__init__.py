"""The ``chat`` dialect: OpenAI Chat Completions, as OpenAI and compatible servers write it."""

from __future__ import annotations

from ..protocol import Dialect
from .decode import ChatDecoder
from .encode import ChatEncoder, error_body, only_usage
from .fold import fold
from .repair import ChatRepair
from .request import parse, to_chat

__all__ = ["DIALECT", "ChatDecoder", "ChatEncoder", "error_body", "fold", "only_usage", "parse"]

DIALECT = Dialect(
    "chat", ChatDecoder, ChatEncoder, parse, error_body, fold, to_chat, repair=ChatRepair
)
