"""The ``chat`` dialect: OpenAI Chat Completions, as OpenAI and compatible servers write it."""

from __future__ import annotations

from functools import partial

from ..protocol import Dialect, Output, OutputOptions, ParsedRequest
from .decode import ChatDecoder
from .encode import ChatEncoder, error_body, only_usage
from .endpoint import ENDPOINT
from .fold import fold
from .repair import ChatRepair
from .request import parse, to_chat

__all__ = ["DIALECT", "ChatDecoder", "ChatEncoder", "error_body", "fold", "only_usage", "parse"]


def _output(options: OutputOptions) -> Output:
    usage = options.usage if options.request is None else _wants_usage(options.request)
    return Output(partial(ChatEncoder, usage=usage), None if usage else only_usage, only_usage)


def _wants_usage(request: ParsedRequest) -> bool:
    stream_options = request.body.get("stream_options") or {}
    return not request.stream or bool(stream_options.get("include_usage"))


DIALECT = Dialect(
    "chat",
    ChatDecoder,
    ChatEncoder,
    parse,
    error_body,
    fold,
    to_chat,
    repair=ChatRepair,
    output=_output,
    endpoint=ENDPOINT,
)
