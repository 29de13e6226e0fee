"""The demo provider: real chunk bytes at a chosen pace, without a key or a network."""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any

from ..errors import UpstreamError
from ..wire.protocol import ChatRequest
from . import demo_text

_PIECE = re.compile(r"\s*\S{1,6}|\s+")
_INSTRUCTION = re.compile(r"(?<!\S)/([a-z]+)(?:[ ]+(\d{1,5}|before))?")
_TOOL = {
    "id": "call_demo",
    "type": "function",
    "function": {"name": "get_weather", "arguments": ""},
}
_ARGUMENTS = ('{"city"', ': "Bi', 'elefeld"', "}")


@dataclass(frozen=True, slots=True)
class Script:
    """One answer: what to say, and how to misbehave. Times are in seconds."""

    text: str
    pace: float
    wait: float = 0.0
    stall: float = 0.0
    reasoning: str = ""
    tool: bool = False
    refuse: bool = False
    fail: str = ""
    drop: bool = False
    odd: bool = False


class Demo:
    """A provider that speaks the ``chat`` dialect, and does as the prompt says.

    Args:
        pace: Tokens a second.
    """

    name = "demo"
    dialect = "chat"

    def __init__(self, pace: float) -> None:
        self._pace = pace

    async def prepare(self) -> None:
        """Nothing to prepare."""

    @asynccontextmanager
    async def open(self, request: ChatRequest, model: str) -> AsyncIterator[AsyncIterator[bytes]]:
        """Answer the last user message.

        Raises:
            UpstreamError: The prompt asked for it (``/fail before``, ``/drop``).
        """
        script = _script(request, model, self._pace)
        if script.fail == "before":
            raise UpstreamError(
                "The demo provider failed, as asked.",
                code="upstream_overloaded",
                status=503,
                retryable=True,
            )
        body = _play(script, _Chunks(model), _prompt(request))
        yield _oddly(body) if script.odd else body

    async def models(self) -> list[str]:
        """The names of its moods."""
        return list(_MOODS)

    async def aclose(self) -> None:
        """Nothing to close."""


# model name: what it changes in the script.
_MOODS: dict[str, dict[str, Any]] = {
    "markdown": {},
    "fast": {"pace": 400.0},
    "slow": {"pace": 6.0},
    "reason": {"reasoning": "The question is short, so the answer should be too. "},
    "tool": {"tool": True},
}


def _changes(name: str, argument: str) -> dict[str, Any]:
    number = float(argument) if argument.isdigit() else 0.0
    table: dict[str, dict[str, Any]] = {
        "slow": {"pace": 6.0},
        "fast": {"pace": 400.0},
        "wait": {"wait": number or 5.0},
        "stall": {"stall": number or 20.0},
        "long": {"text": demo_text.filler(int(number) or 400)},
        "reason": _MOODS["reason"],
        "tool": {"tool": True},
        "refuse": {"refuse": True, "text": "I must decline, as you asked me to."},
        "fail": {"fail": "before" if argument == "before" else "inside"},
        "drop": {"drop": True},
        "odd": {"odd": True},
    }
    return table.get(name, {})


def _script(request: ChatRequest, model: str, pace: float) -> Script:
    if model not in _MOODS:
        raise UpstreamError(
            f"The demo provider has {', '.join(_MOODS)}.",
            code="model_not_found",
            status=404,
            param="model",
        )
    prompt = _prompt(request)
    script = replace(Script(demo_text.answer(prompt), pace), **_MOODS[model])
    for name, argument in _INSTRUCTION.findall(prompt):
        script = replace(script, **_changes(name, argument))
    if request.body["messages"][-1].get("role") == "tool":
        return replace(script, tool=False, text="The tool has answered, so I can: **all is well**.")
    return script


def _prompt(request: ChatRequest) -> str:
    users = [m for m in request.body["messages"] if m.get("role") == "user"]
    content = users[-1].get("content") if users else ""
    if isinstance(content, list):
        content = " ".join(str(p.get("text", "")) for p in content if isinstance(p, dict))
    return content if isinstance(content, str) else ""


class _Chunks:
    """Makes the blocks of one answer, as OpenAI writes them."""

    def __init__(self, model: str) -> None:
        self._created = int(time.time())
        self._id = f"chatcmpl-{sha256(f'{model}{time.time_ns()}'.encode()).hexdigest()[:24]}"
        self._model = f"demo-{model}"

    def delta(self, delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        return self._block([choice], None)

    def usage(self, prompt: int, completion: int) -> bytes:
        total = prompt + completion
        counts = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": total}
        return self._block([], counts)

    def _block(self, choices: list[dict[str, Any]], usage: dict[str, int] | None) -> bytes:
        chunk: dict[str, Any] = {
            "id": self._id,
            "object": "chat.completion.chunk",
            "created": self._created,
            "model": self._model,
            "choices": choices,
            "usage": usage,
        }
        return (
            b"data: "
            + json.dumps(chunk, ensure_ascii=False, separators=(",", ":")).encode()
            + b"\n\n"
        )


async def _play(script: Script, chunks: _Chunks, prompt: str) -> AsyncIterator[bytes]:
    await asyncio.sleep(script.wait)
    yield chunks.delta({"role": "assistant", "content": "", "refusal": None})
    deltas = list(_deltas(script))
    clock = asyncio.get_running_loop().time
    begun = clock()
    for number, delta in enumerate(deltas):
        if number == len(deltas) // 2:
            await asyncio.sleep(script.stall)
            begun += script.stall
            if script.drop:
                raise UpstreamError(
                    "The demo provider hung up, as asked.",
                    code="upstream_disconnected",
                    retryable=True,
                )
            if script.fail:
                error = {"message": "as asked", "type": "server_error", "code": "server_error"}
                yield b"data: " + json.dumps({"error": error}).encode() + b"\n\n"
                return
        # Against the clock, not a sleep for each: a late token does not make all others late.
        await asyncio.sleep(max(0.0, begun + number / script.pace - clock()))
        yield chunks.delta(delta)
    yield chunks.delta({}, "tool_calls" if script.tool else "stop")
    yield chunks.usage(max(1, len(prompt) // 4), len(deltas))
    yield b"data: [DONE]\n\n"


def _deltas(script: Script) -> Iterator[dict[str, Any]]:
    for piece in _PIECE.findall(script.reasoning):
        yield {"reasoning_content": piece}
    if script.tool:
        yield {"tool_calls": [{"index": 0, **_TOOL}]}
        for part in _ARGUMENTS:
            yield {"tool_calls": [{"index": 0, "function": {"arguments": part}}]}
        return
    for piece in _PIECE.findall(script.text):
        yield {"refusal" if script.refuse else "content": piece}


async def _oddly(body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The same stream with every liberty the specification allows: a BOM, comments, CRLF, cuts."""
    yield b"\xef\xbb\xbf: odd on purpose\r\n\r\n"
    async for block in body:
        line = block.strip() + b"\r\n: between\r\n\r\n"
        for at in range(0, len(line), 7):
            yield line[at : at + 7]
