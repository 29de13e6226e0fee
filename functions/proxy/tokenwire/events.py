"""The typed vocabulary: what any provider's stream says, in eight frozen words.

Every dialect decodes into these and encodes from these. They are values: do not subclass
them. ``choice`` counts parallel answers (the Chat API's ``n``) and is 0 for most streams.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class ToolName:
    """How the request names a tool that its provider knows as the function ``function``.

    ``is_custom`` says that the request declares it as a tool that takes free text.
    """

    function: str
    name: str
    namespace: str = ""
    is_custom: bool = False


@dataclass(frozen=True, slots=True)
class Start:
    """The answer begins.

    ``created`` is Unix time in seconds. ``tools`` are those with another name, or of another
    kind, in the request than at the provider.
    """

    id: str
    model: str
    created: int = 0
    tools: tuple[ToolName, ...] = ()


@dataclass(frozen=True, slots=True)
class Content:
    """A piece of the answer's text; ``refusal`` marks text that declines to answer."""

    delta: str
    choice: int = 0
    refusal: bool = False


@dataclass(frozen=True, slots=True)
class Reasoning:
    """A piece of the model's thinking, where the provider shows it.

    ``signature`` and ``redacted`` are opaque: what some providers want back, unchanged, with
    the next turn. Either comes in a piece of its own, without a ``delta``.
    """

    delta: str
    choice: int = 0
    signature: str = ""
    redacted: str = ""


@dataclass(frozen=True, slots=True)
class Citation:
    """A source of the text just said. ``data`` is the provider's own word on it, as JSON."""

    url: str = ""
    title: str = ""
    text: str = ""
    data: str = ""
    choice: int = 0


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A piece of a tool call.

    ``call`` is the call's position among parallel calls. ``id`` and ``name`` come with
    its first piece; ``arguments`` is a fragment of a JSON text, to be joined in order.
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
    spent on thinking. Where a stream says several, the last counts.
    """

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    reasoning_tokens: int = 0
    cache_write_tokens: int = 0


@dataclass(frozen=True, slots=True)
class Finish:
    """One choice is complete: ``stop``, ``length``, ``tool_calls``, ``content_filter``, ….

    ``detail`` is the provider's own word, where it says more than the reason; ``sequence`` the
    stop sequence that was met.
    """

    reason: str
    choice: int = 0
    detail: str = ""
    sequence: str = ""


@dataclass(frozen=True, slots=True)
class Error:
    """The stream ended without being whole. Fields as in ``errors.TokenwireError``."""

    code: str
    message: str
    retryable: bool = False
    status: int = 500
    param: str | None = None
    retry_after: float | None = None


Event: TypeAlias = Start | Content | Reasoning | Citation | ToolCall | Usage | Finish | Error
