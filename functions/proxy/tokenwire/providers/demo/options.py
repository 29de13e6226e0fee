"""The fields of a chat request that the demo model honours."""

from __future__ import annotations

import re
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from ...dialects.protocol import JSON
from ...errors import ClientError

_Positive = Annotated[int, Meta(ge=1)]
_Stop = Annotated[list[str], Meta(max_length=64)]
# A path in msgspec's messages: "… - at `$.tools[0].type`".
_PLACE = re.compile(r" - at `\$\.?([^`]*)`$")
# Fields that would change the answer, and that the demo model does not support.
_UNSUPPORTED = ("functions", "function_call", "audio", "web_search_options")


class Function(Struct):
    """A function that may be called, and the JSON Schema of its arguments."""

    name: str
    parameters: JSON | None = None


class Tool(Struct):
    """One entry of ``tools``."""

    type: Literal["function"]
    function: Function


class _Schema(Struct):
    schema: JSON | None = None


class ResponseFormat(Struct):
    """The form in which the answer is wanted."""

    type: Literal["text", "json_object", "json_schema"] = "text"
    json_schema: _Schema | None = None


class Options(Struct):
    """A chat request, as far as it shapes the demo model's answer."""

    max_tokens: _Positive | None = None
    max_completion_tokens: _Positive | None = None
    stop: str | _Stop | None = None
    n: Annotated[int, Meta(ge=1, le=128)] | None = None
    logprobs: bool | None = None
    top_logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    response_format: ResponseFormat | None = None
    tools: list[Tool] | None = None
    tool_choice: str | JSON | None = None
    parallel_tool_calls: bool | None = None
    reasoning_effort: str | None = None
    modalities: list[str] | None = None

    @property
    def limit(self) -> int | None:
        """The largest number of tokens, reasoning included; None without one."""
        given = [n for n in (self.max_tokens, self.max_completion_tokens) if n is not None]
        return min(given, default=None)

    @property
    def stops(self) -> list[str]:
        """The texts before which the answer ends."""
        given = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return [text for text in given if text]

    @property
    def thinks(self) -> bool | None:
        """Whether the request requires reasoning; None if it leaves that open."""
        effort = self.reasoning_effort
        return None if effort is None else effort not in ("none", "minimal")


def read(body: JSON) -> Options:
    """The options in a request body.

    Raises:
        ClientError: A field is malformed (``invalid_value``), or requires what the demo model
            does not have (``unsupported_parameter``); ``param`` names it.
    """
    for name in _UNSUPPORTED:
        if body.get(name):
            raise refusal(name)
    try:
        options = msgspec.convert(body, Options)
    except msgspec.ValidationError as error:
        raise _named(str(error)) from None
    if "audio" in (options.modalities or ()):
        raise refusal("modalities")
    if options.top_logprobs and not options.logprobs:
        raise ClientError(
            "top_logprobs goes only with logprobs.", code="invalid_value", param="top_logprobs"
        )
    return options


def refusal(param: str, why: str = "is not supported by the demo model") -> ClientError:
    """The error for what the demo model cannot do."""
    return ClientError(f"{param} {why}.", code="unsupported_parameter", param=param)


def _named(message: str) -> ClientError:
    found = _PLACE.search(message)
    param = found[1] if found else None
    reason = _PLACE.sub("", message)
    return ClientError(f"{param}: {reason}.", code="invalid_value", param=param)
