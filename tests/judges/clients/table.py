"""Which clients there are, how to start them, and what each has to end with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PROGRAMS = HERE / "programs"
PROVIDERS = {
    "openai": "openai/gpt-x",
    "anthropic": "anthropic/claude-x",
    "gemini": "gemini/gemini-x",
    "bedrock": "bedrock/claude-x",
}
"""A model of each provider kind; the provider's name is the kind's."""

FULL = "This answer is cut off before it is complete, and the client has to be told so."
PARIS, ROME = ["get_weather", {"city": "Paris"}], ["get_weather", {"city": "Rome"}]
USAGE_OF_THE_MOCK = {
    # Its message_delta has no input tokens, which is where LangChain reads them. To a client of
    # Messages the mock's bytes pass as they are, so this is what LangChain has without tokenwire.
    ("langchain anthropic", PROVIDERS["anthropic"]): [0, 7]
}
Outcome = Mapping[str, Any]
Check = Callable[[Outcome, "Client"], None]


@dataclass(frozen=True, slots=True)
class Client:
    """One way to use one SDK or framework.

    Args:
        program: The program that runs it.
        before: The class of its exception for a provider's 429.
        inside: The classes of its exceptions for a stream that breaks off.
        only: The cases that it can run, where those are not all.
        more: Cases beyond the common ones.
    """

    program: str
    before: str
    inside: frozenset[str] = frozenset()
    only: Sequence[str] = ()
    more: Sequence[str] = ()

    @property
    def cases(self) -> Sequence[str]:
        """The names of the cases that it runs."""
        return self.only or [*COMMON, *self.more]


def _no_error(outcome: Outcome) -> None:
    assert outcome["error"] == "", outcome["detail"]


def plain(outcome: Outcome, _: Client) -> None:
    """A streamed answer arrives whole."""
    _no_error(outcome)
    assert outcome["text"] == "The capital of France is Paris."


def usage(outcome: Outcome, client: Client) -> None:
    """Usage that the client asks for, added up over all chunks, is what the provider counted."""
    plain(outcome, client)
    assert outcome["usage"] == USAGE_OF_THE_MOCK.get((outcome["client"], outcome["model"]), [11, 7])


def tool(outcome: Outcome, _: Client) -> None:
    """Text and a tool call in one turn, then the tool's result, then the answer."""
    _no_error(outcome)
    assert outcome["calls"] == [PARIS]
    assert outcome["text"] == "It is sunny in Paris."


def loop(outcome: Outcome, _: Client) -> None:
    """Two tool calls, one after the other's result, then the answer."""
    _no_error(outcome)
    assert outcome["calls"] == [PARIS, ROME]
    assert outcome["text"] == "Paris is sunny, Rome is rainy."


def structured(outcome: Outcome, _: Client) -> None:
    """An answer that follows a JSON schema is decoded by the client."""
    _no_error(outcome)
    assert outcome["value"] == {"name": "Paris", "population": 2100000}


def before(outcome: Outcome, client: Client) -> None:
    """A provider's 429 before the stream is the client's own exception for it."""
    assert (outcome["error"], outcome["text"]) == (client.before, ""), outcome["detail"]


def inside(outcome: Outcome, client: Client) -> None:
    """A stream that breaks off ends in the client's typed exception, after what had come."""
    assert outcome["error"] in client.inside, outcome["detail"]
    assert FULL.startswith(outcome["text"])
    assert outcome["text"] != FULL


def cancel(outcome: Outcome, _: Client) -> None:
    """A client that leaves after the first words has them; the test looks at the provider."""
    _no_error(outcome)
    assert outcome["text"]
    assert "twenty" not in outcome["text"]


def again(outcome: Outcome, client: Client) -> None:
    """A second turn that refers to the first answer by the ids of its items."""
    plain(outcome, client)


def command(outcome: Outcome, _: Client) -> None:
    """A coding agent runs the command that the model asks for, and gives it the output."""
    _no_error(outcome)
    assert outcome["calls"] == [["command", "sunny"]]
    assert outcome["text"] == "It is sunny in Paris."


def edit(outcome: Outcome, _: Client) -> None:
    """A coding agent writes into a file what the model has written."""
    _no_error(outcome)
    assert outcome["text"] == "sunny"


COMMON: Mapping[str, Check] = {
    "plain": plain,
    "usage": usage,
    "tool": tool,
    "loop": loop,
    "object": structured,
    "before": before,
    "inside": inside,
    "cancel": cancel,
}
CHECKS: Mapping[str, Check] = {
    **COMMON,
    "streamed object": structured,
    "again": again,
    "command": command,
    "edit": edit,
}

_API_ERROR = frozenset({"APIError"})
_AI_SDK = Client(
    "node/ai_sdk.mjs", "APICallError", frozenset({"StreamProviderError"}), more=["again"]
)
_PYDANTIC = Client(
    "pydantic_ai_agents.py",
    "ModelRateLimitError",
    frozenset({"ModelAPIError", "ModelHTTPError", "ModelServerError", "APIError"}),
)
_LANGCHAIN_OPENAI = Client(
    "langchain_models.py",
    "OpenAIRateLimitError",
    frozenset({"OpenAIAPIError", "APIError", "ValueError"}),
)
_OPENAI_PYTHON = Client("openai_python.py", "RateLimitError", _API_ERROR)
_AGENTS = Client(
    "openai_agents.py", "RateLimitError", frozenset({"APIError", "ModelBehaviorError"})
)
_OPENAI_NODE = Client("node/openai.mjs", "RateLimitError", _API_ERROR)
_GO = "*apierror.Error"
_JAVA = "RateLimitException"

CLIENTS: Mapping[str, Client] = {
    "openai-python chat": _OPENAI_PYTHON,
    "openai-python responses": _OPENAI_PYTHON,
    "anthropic-python": Client(
        "anthropic_python.py", "RateLimitError", frozenset({"APIStatusError"})
    ),
    "langchain chat": _LANGCHAIN_OPENAI,
    "langchain responses": _LANGCHAIN_OPENAI,
    "langchain anthropic": Client(
        "langchain_models.py",
        "AnthropicRateLimitError",
        frozenset({"AnthropicAPIError", "APIStatusError"}),
    ),
    "llamaindex chat": Client("llamaindex_llms.py", "RateLimitError", _API_ERROR),
    "pydantic-ai chat": _PYDANTIC,
    "pydantic-ai responses": _PYDANTIC,
    "pydantic-ai anthropic": replace(
        _PYDANTIC,
        # It refuses native output for models whose names it does not know.
        only=[case for case in COMMON if case != "object"],
    ),
    "instructor": Client(
        "instructor_models.py",
        "InstructorRetryException",
        only=["object", "streamed object", "before"],
    ),
    "openai-agents chat": _AGENTS,
    "openai-agents responses": _AGENTS,
    "openai-node chat": _OPENAI_NODE,
    "openai-node responses": _OPENAI_NODE,
    "anthropic-node": Client("node/anthropic.mjs", "RateLimitError", _API_ERROR),
    "ai-sdk openai": _AI_SDK,
    "ai-sdk openai chat": _AI_SDK,
    "ai-sdk compatible": _AI_SDK,
    "ai-sdk anthropic": _AI_SDK,
    "openai-go chat": Client("go", _GO, frozenset({"*ssestream.StreamError"})),
    "openai-go responses": Client("go", _GO, frozenset({"*errors.errorString"})),
    "anthropic-go": Client("go", _GO, frozenset({"*apierror.Error"})),
    "openai-java chat": Client("java", _JAVA, frozenset({"SseException"})),
    "openai-java responses": Client(
        "java", _JAVA, frozenset({"IllegalStateException", "SseException"})
    ),
    "anthropic-java": Client("java", _JAVA, frozenset({"SseException"})),
    "codex": Client("coding_agents.py", "Refused", only=["plain", "usage", "command", "before"]),
    "opencode": Client("coding_agents.py", "", only=["plain", "command"]),
    "llm": Client("llm_cli.py", "Refused", only=["plain", "tool", "loop", "object", "before"]),
    "aider": Client("aider_cli.py", "", only=["edit"]),
}
