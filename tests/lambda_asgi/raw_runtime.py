"""A runtime that sends what an event tells it to; for tests of what Lambda makes of responses.

``python raw_runtime.py``; with ``extension``, an extension. Of an event, or of a function URL's
body, it reads ``path`` (``response`` or ``error``), ``headers``, ``parts`` (latin-1 text, one chunk
each), ``times``, ``trailers``, ``print``, ``cut`` and ``echo``.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

ADDRESS = os.environ["AWS_LAMBDA_RUNTIME_API"]
RUNTIME = "/2018-06-01/runtime"
EXTENSION = "/2020-01-01/extension"


def log(text: str) -> None:
    """Write a line into the function's log."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def request(
    connection: http.client.HTTPConnection, method: str, path: str, **how: Any
) -> tuple[http.client.HTTPResponse, bytes]:
    """One request, and its complete response."""
    connection.request(method, path, **how)
    response = connection.getresponse()
    return response, response.read()


def extension() -> None:
    """Register, and write each event into the file that the environment names."""
    connection = http.client.HTTPConnection(ADDRESS)
    body = json.dumps({"events": ["INVOKE", "SHUTDOWN"]})
    name = {"Lambda-Extension-Name": "raw"}
    response, _ = request(connection, "POST", f"{EXTENSION}/register", body=body, headers=name)
    headers = {"Lambda-Extension-Identifier": response.headers["Lambda-Extension-Identifier"]}
    file = Path(os.environ["EXTENSION_FILE"])
    file.touch()
    found = b""
    while b"SHUTDOWN" not in found:
        _, found = request(connection, "GET", f"{EXTENSION}/event/next", headers=headers)
        with file.open("ab") as events:
            events.write(found + b"\n")


def instructions(event: dict[str, Any]) -> dict[str, Any]:
    """The request in an event."""
    found: dict[str, Any] = json.loads(event["body"]) if "requestContext" in event else event
    return found


def send(event: dict[str, Any], headers: http.client.HTTPMessage) -> None:
    """Answer one event, on a connection of its own."""
    wanted = instructions(event)
    parts = [part.encode("latin-1") for part in wanted.get("parts", ())]
    if "echo" in wanted:
        parts = [json.dumps({"event": event, "headers": dict(headers)}).encode()]
    log(wanted.get("print", "-"))
    id_ = headers["Lambda-Runtime-Aws-Request-Id"]
    path = f"{RUNTIME}/invocation/{id_}/{wanted.get('path', 'response')}"
    connection = http.client.HTTPConnection(ADDRESS)
    connection.putrequest("POST", path)
    for name, value in wanted.get("headers", {}).items():
        connection.putheader(name, value)
    connection.putheader("Transfer-Encoding", "chunked")
    connection.endheaders()
    try:
        for part in parts * wanted.get("times", 1):
            connection.send(b"%x\r\n%b\r\n" % (len(part), part))
        if wanted.get("cut"):
            connection.close()
            return
        trailers = "".join(f"{k}: {v}\r\n" for k, v in wanted.get("trailers", {}).items())
        connection.send(b"0\r\n" + trailers.encode() + b"\r\n")
        connection.getresponse().read()
    except OSError as error:
        log(f"the response was refused: {type(error).__name__}")


def main() -> None:
    """Ask for events and answer them, for ever."""
    while "EXTENSION_FILE" in os.environ and not Path(os.environ["EXTENSION_FILE"]).exists():
        time.sleep(0.01)  # Lambda waits for extensions to register before it starts a runtime
    connection = http.client.HTTPConnection(ADDRESS)
    while True:
        response, body = request(connection, "GET", f"{RUNTIME}/invocation/next")
        send(json.loads(body), response.headers)


if __name__ == "__main__":
    if sys.argv[1:] == ["extension"]:
        extension()
    else:
        main()
