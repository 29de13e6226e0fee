"""The types of events that every provider's stream is decoded to.

Every dialect decodes to these types and encodes from them. They are immutable values: do not
subclass them. ``choice`` is the number of a parallel answer (the Chat API's ``n``), usually 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class ToolName:
    """The request's name of a tool that the provider knows as the function ``function``.

    ``is_custom`` is True if the request declares it as a tool that takes free text.
    """

    function: str
    name: str
    namespace: str = ""
    is_custom: bool = False


@dataclass(frozen=True, slots=True)
class Start:
    """The start of the answer.

    ``created`` is Unix time in seconds. ``tools`` are the tools whose name or type in the request
    differs from that at the provider.
    """

    id: str
    model: str
    created: int = 0
    tools: tuple[ToolName, ...] = ()


@dataclass(frozen=True, slots=True)
class Content:
    """A piece of the answer's text; ``refusal`` marks the text of a refusal."""

    delta: str
    choice: int = 0
    refusal: bool = False


@dataclass(frozen=True, slots=True)
class Reasoning:
    """A piece of the model's reasoning, if the provider sends it.

    ``signature`` and ``redacted`` are opaque values that some providers require back, unchanged,
    with the next turn. Each arrives in an event of its own, without a ``delta``.
    """

    delta: str
    choice: int = 0
    signature: str = ""
    redacted: str = ""


@dataclass(frozen=True, slots=True)
class Citation:
    """A source of the preceding text. ``data`` is the provider's own object, as JSON."""

    url: str = ""
    title: str = ""
    text: str = ""
    data: str = ""
    choice: int = 0


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A piece of a tool call.

    ``call`` is the call's position among parallel calls. Its first piece has ``id`` and ``name``;
    ``arguments`` are pieces of a JSON text, to be concatenated in order.
    """

    call: int
    id: str | None = None
    name: str | None = None
    arguments: str = ""
    choice: int = 0


@dataclass(frozen=True, slots=True)
class Usage:
    """Token counts, under the names of the GenAI semantic conventions.

    ``cached_tokens`` is the part of the input read from the provider's cache,
    ``cache_write_tokens`` the part written to it, ``reasoning_tokens`` the part of the output
    used for reasoning. If a stream has several, the last is valid.
    """

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cache_write_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Finish:
    """The end of one choice: ``stop``, ``length``, ``tool_calls``, ``content_filter``, ….

    ``detail`` is the provider's own reason if it is more specific; ``sequence`` is the stop
    sequence that the model reached.
    """

    reason: str
    choice: int = 0
    detail: str = ""
    sequence: str = ""


@dataclass(frozen=True, slots=True)
class Error:
    """The stream ended before it was complete. Fields as in ``errors.TokenwireError``."""

    code: str
    message: str
    retryable: bool = False
    status: int = 500
    param: str | None = None
    retry_after: float | None = None


Event: TypeAlias = Start | Content | Reasoning | Citation | ToolCall | Usage | Finish | Error
