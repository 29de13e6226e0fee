"""The script: the invocations that every runtime gets, and what is read off its answers."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.differential.recorded import ERROR_BODY, ERROR_TYPE, MODE, Answer

INVOCATION_ID = "lambda-runtime-invocation-id"
MAX_TRAILERS = 4096
"""Bytes. Longer ones end the environment: tests/sam/test_emulator.py shows it."""


def event(path: str) -> dict[str, Any]:
    """A function URL's GET of a path."""
    found: dict[str, Any] = json.loads(Path("events/function-url.json").read_text())
    http = {**found["requestContext"]["http"], "path": path, "method": "GET"}
    context = {**found["requestContext"], "http": http}
    kept = {k: v for k, v in found.items() if k not in ("body", "cookies")}
    headers = {"host": found["headers"]["host"], "accept": "*/*"}
    own = {"rawPath": path, "rawQueryString": "", "headers": headers, "requestContext": context}
    return kept | own


@dataclass(frozen=True, slots=True)
class Scene:
    """One invocation.

    Args:
        path: Selects what the program does.
        seconds: To its deadline.
    """

    path: str
    seconds: float = 30.0


SCENES = {
    scene.path: scene
    for scene in (
        Scene("/streamed"),
        Scene("/headers"),
        Scene("/empty"),
        Scene("/no-content"),
        Scene("/before"),
        Scene("/inside"),
        Scene("/long"),
        Scene("/deadline", 1.0),
    )
}

Answers = Mapping[str, Answer]
"""By the scene's path."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table.

    Args:
        title: Its first cell.
        read: The cell of a runtime.
        right: The cell of a runtime that is right.
    """

    title: str
    read: Callable[[Answers], str]
    right: str


def _streamed(answers: Answers) -> str:
    return "as it is made" if answers["/streamed"].body == b"onetwo" else "at the end"


def _status(answers: Answers) -> str:
    answer = answers["/headers"]
    is_right = answer.prelude.get("statusCode") == 201 and answer.values("x-one") == ["1"]
    return "yes" if is_right and answer.body == b"hello" else "no"


def _two_values(answers: Answers) -> str:
    found = answers["/headers"].values("x-two")
    return "both" if found == ["1", "2"] else f"{len(found)} of 2"


def _cookies(answers: Answers) -> str:
    found = answers["/headers"].prelude.get("cookies") or []
    return "both" if [cookie.partition(";")[0] for cookie in found] == ["a=1", "b=2"] else "no"


def _empty(answers: Answers) -> str:
    answer = answers["/empty"]
    if answer.kind != "response":
        return _ending(answer)
    if not answer.streamed:
        return "(not streamed)"
    if not answer.prelude:
        return "no prelude"
    return "one byte" if answer.body else "no byte"


def _no_content(answers: Answers) -> str:
    answer = answers["/no-content"]
    if answer.kind != "response":
        return _ending(answer)
    if not answer.prelude:
        return "no prelude"
    return f"{answer.prelude.get('statusCode')}, {len(answer.body) or 'no'} bytes"


def _before(answers: Answers) -> str:
    answer = answers["/before"]
    if answer.kind == "error":
        return "`/error`"
    if answer.trailers.get(ERROR_TYPE):
        return "trailers"
    return f"a {answer.prelude.get('statusCode')}" if answer.kind else _ending(answer)


def _inside(answers: Answers) -> str:
    answer = answers["/inside"]
    if not answer.streamed:
        return "(not streamed)" if answer.kind else _ending(answer)
    if answer.trailers:
        return "trailers" if answer.trailers.get(ERROR_TYPE) else "other trailers"
    if ERROR_TYPE in answer.body.lower().decode("latin-1"):
        return "text in the body"
    return "a clean end" if answer.ending == "complete" else _ending(answer)


def _long(answers: Answers) -> str:
    answer = answers["/long"]
    if not answer.streamed:
        return "(not streamed)" if answer.kind else _ending(answer)
    if not answer.trailer_bytes:
        return "no trailers"
    size = f"{answer.trailer_bytes / 1000:.1f} kB"
    return size if answer.trailer_bytes < MAX_TRAILERS else f"{size}: fatal"


def _deadline(answers: Answers) -> str:
    answer = answers["/deadline"]
    if answer.trailers.get(ERROR_TYPE):
        return "trailers in time"
    return "an error in time" if answer.kind == "error" else "nothing in time"


def _mode(answers: Answers) -> str:
    return "yes" if answers["/headers"].headers.get(MODE) == "streaming" else "no"


def _echo(answers: Answers) -> str:
    return "yes" if answers["/headers"].headers.get(INVOCATION_ID) == "inv-/headers" else "no"


def _text(answers: Answers) -> str:
    encoded = answers["/inside"].trailers.get(ERROR_BODY, "")
    sent = answers["/before"].body + answers["/inside"].body + b64decode(encoded)
    return "goes to Lambda" if b"sk-secret" in sent else "stays inside"


def _ending(answer: Answer) -> str:
    return {"exit": "the process ends", "cut": "the connection breaks"}.get(
        answer.ending, "no answer"
    )


ROWS = (
    Row("a response leaves", _streamed, "as it is made"),
    Row("status, header, body", _status, "yes"),
    Row("two fields of one name", _two_values, "both"),
    Row("two cookies", _cookies, "both"),
    Row("an empty body: sent after the prelude", _empty, "one byte"),
    Row("204", _no_content, "204, no bytes"),
    Row("an exception before the first byte", _before, "`/error`"),
    Row("an exception after it", _inside, "trailers"),
    Row("one with a text of 5,000 characters: trailers", _long, "0.5 kB"),
    Row("the exception's text", _text, "stays inside"),
    Row("at the deadline, in mid-stream", _deadline, "trailers in time"),
    Row("`Lambda-Runtime-Function-Response-Mode` sent", _mode, "yes"),
    Row("`Lambda-Runtime-Invocation-Id` echoed", _echo, "yes"),
)
