"""The blocks of one answer, as OpenAI writes them."""

from __future__ import annotations

import json
import time
from hashlib import sha256

from ...dialects.protocol import JSON


class Chunks:
    """Writes the ``chat.completion.chunk`` blocks of one answer.

    Args:
        model: The demo model's name.
    """

    def __init__(self, model: str) -> None:
        self._created = int(time.time())
        self.id = f"chatcmpl-{sha256(f'{model}{time.time_ns()}'.encode()).hexdigest()[:24]}"
        self._model = f"demo-{model}"

    def delta(
        self,
        delta: JSON,
        finish: str | None = None,
        *,
        choice: int = 0,
        logprobs: JSON | None = None,
    ) -> bytes:
        """A part of a choice."""
        body = {"index": choice, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
        return self._block([body], None)

    def usage(self, prompt: int, completion: int, reasoning: int) -> bytes:
        """The last chunk: what the request and the answer measure, in tokens."""
        counts = {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": reasoning},
        }
        return self._block([], counts)

    def _block(self, choices: list[JSON], usage: JSON | None) -> bytes:
        return block(
            {
                "id": self.id,
                "object": "chat.completion.chunk",
                "created": self._created,
                "model": self._model,
                "choices": choices,
                "usage": usage,
            }
        )


def block(body: JSON) -> bytes:
    """One event with this object as its data."""
    return (
        b"data: " + json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode() + b"\n\n"
    )
