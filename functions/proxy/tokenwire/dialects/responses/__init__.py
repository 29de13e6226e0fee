"""The ``responses`` dialect: OpenAI Responses.

https://platform.openai.com/docs/api-reference/responses-streaming
"""

from __future__ import annotations

from functools import partial

from ..chat.encode import error_body
from ..protocol import Dialect, Output, OutputOptions
from .decode import ResponsesDecoder
from .encode import ResponsesEncoder
from .endpoint import ENDPOINT
from .fold import fold
from .references import REFERENCES
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


def _output(options: OutputOptions) -> Output:
    request = options.request
    return Output(partial(ResponsesEncoder, request=None if request is None else request.body))


DIALECT = Dialect(
    "responses",
    ResponsesDecoder,
    ResponsesEncoder,
    parse,
    error_body,
    fold,
    to_chat,
    renamed,
    output=_output,
    endpoint=ENDPOINT,
    resumes=True,
    keeps_request=True,
    item_references=REFERENCES,
)
