"""What a runtime sent to the Runtime API, read from its recorded bytes. Sans-IO."""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from typing import Any

STREAM_TYPE = "application/vnd.awslambda.http-integration-response"
DELIMITER = b"\0" * 8
ERROR_TYPE = "lambda-runtime-function-error-type"
ERROR_BODY = "lambda-runtime-function-error-body"
MODE = "lambda-runtime-function-response-mode"


@dataclass(slots=True)
class Recorder:
    """Reads one HTTP request as it arrives, cut anywhere.

    Args:
        raw: All bytes so far.
    """

    raw: bytearray = field(default_factory=bytearray)
    start: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    trailers: dict[str, str] = field(default_factory=dict)
    trailer_bytes: int = 0
    complete: bool = False
    _at: int = 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        self.raw += data
        if not self.start:
            self._read_head()
        if self.start and not self.complete:
            if "chunked" in self.headers.get("transfer-encoding", "").lower():
                self._read_chunks()
            else:
                self._read_length()

    @property
    def rest(self) -> bytes:
        """What arrived after the request: the beginning of the next one."""
        return bytes(self.raw[self._at :])

    def _read_head(self) -> None:
        end = self.raw.find(b"\r\n\r\n")
        if end < 0:
            return
        self.start, *lines = self.raw[:end].decode("latin-1").split("\r\n")
        self.headers = _fields(lines)
        self._at = end + 4

    def _read_length(self) -> None:
        length = int(self.headers.get("content-length", "0"))
        if len(self.raw) - self._at >= length:
            self.body += self.raw[self._at : self._at + length]
            self._at += length
            self.complete = True

    def _read_chunks(self) -> None:
        while not self.complete and (end := self.raw.find(b"\r\n", self._at)) >= 0:
            size = int(self.raw[self._at : end].partition(b";")[0], 16)
            if size == 0:
                self._read_trailers(end + 2)
                return
            if len(self.raw) < end + 2 + size + 2:
                return
            self.body += self.raw[end + 2 : end + 2 + size]
            self._at = end + 2 + size + 2

    def _read_trailers(self, at: int) -> None:
        if self.raw.startswith(b"\r\n", at):
            self._at, self.complete = at + 2, True
        elif (end := self.raw.find(b"\r\n\r\n", at)) >= 0:
            self.trailers = _fields(self.raw[at:end].decode("latin-1").split("\r\n"))
            self.trailer_bytes = end + 2 - at
            self._at, self.complete = end + 4, True


def _fields(lines: list[str]) -> dict[str, str]:
    found = (line.partition(":") for line in lines)
    return {name.strip().lower(): value.strip() for name, _, value in found}


@dataclass(frozen=True, slots=True)
class Answer:
    """A runtime's answer to one invocation.

    Args:
        kind: ``response`` or ``error``, as in the path; empty if there was none.
        ending: ``complete``; ``cut`` where the connection broke off; ``open`` where it had
            not ended in time; ``exit`` where the process ended without an answer.
        streamed: Whether it has a prelude and a body, as the mode or the content type tells.
        headers: Of the request to the Runtime API.
        prelude: The response's status, headers and cookies, from the prelude or the JSON.
        body: The response's body; an error's JSON.
        trailers: By name, in lower case.
        trailer_bytes: Their length on the wire.
    """

    kind: str = ""
    ending: str = "open"
    streamed: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    prelude: dict[str, Any] = field(default_factory=dict)
    body: bytes = b""
    trailers: dict[str, str] = field(default_factory=dict)
    trailer_bytes: int = 0

    @classmethod
    def of(cls, recorder: Recorder, ending: str) -> Answer:
        """Read what was recorded."""
        path = re.search(r"/invocation/[^/ ]+/(response|error)", recorder.start)
        kind = path[1] if path else ""
        declared = recorder.headers.get(MODE) == "streaming"
        streamed = declared or recorder.headers.get("content-type") == STREAM_TYPE
        prelude, body = _parts(kind, bytes(recorder.body), streamed=streamed)
        return cls(
            kind,
            ending,
            streamed,
            recorder.headers,
            prelude,
            body,
            recorder.trailers,
            recorder.trailer_bytes,
        )

    def values(self, name: str) -> list[str]:
        """The response's values of a header."""
        found: list[str] = []
        for part in ("headers", "multiValueHeaders"):
            for key, value in (self.prelude.get(part) or {}).items():
                if key.lower() == name:
                    found += value if isinstance(value, list) else re.split(r",\s*", value)
        return found


def _parts(kind: str, body: bytes, *, streamed: bool) -> tuple[dict[str, Any], bytes]:
    if kind != "response":
        return {}, body
    if streamed:
        head, _, rest = body.partition(DELIMITER)
        return _json(head), rest
    prelude = _json(body)
    text = str(prelude.get("body", "")).encode()
    return prelude, base64.b64decode(text) if prelude.get("isBase64Encoded") else text


def _json(text: bytes) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
