"""A runtime of a few lines that ends each streamed response with a trailer of a given size.

Usage: raw_trailer.py BYTES. It shows what the Runtime API does with trailers that lambda_asgi
never sends.
"""

from __future__ import annotations

import os
import re
import socket
import sys

API = "/2018-06-01/runtime/invocation"
TYPE, BODY = "Lambda-Runtime-Function-Error-Type", "Lambda-Runtime-Function-Error-Body"


def read_response(connection: socket.socket) -> tuple[str, bytes]:
    """The head and the body of a response with a Content-Length, or in chunks."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _received(connection)
    head, _, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: (\d+)", head)
    while length and len(body) < int(length[1]):
        body += _received(connection)
    while not length and not body.endswith(b"0\r\n\r\n"):
        body += _received(connection)
    return head.decode(), body


def _received(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        sys.exit("the Runtime API closed the connection")
    return data


def main(size: int) -> None:
    """Serve invocations until the Runtime API goes."""
    host, _, port = os.environ["AWS_LAMBDA_RUNTIME_API"].rpartition(":")
    connection = socket.create_connection((host, int(port)))
    while True:
        connection.sendall(f"GET {API}/next HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        head, _ = read_response(connection)
        found = re.search(r"(?i)aws-request-id: (\S+)", head)
        assert found, head
        echo = "".join(re.findall(r"(?i)lambda-runtime-invocation-id: \S+\r\n", head + "\r\n"))
        request = (
            f"POST {API}/{found[1]}/response HTTP/1.1\r\nHost: {host}\r\n"
            "Lambda-Runtime-Function-Response-Mode: streaming\r\n"
            "Content-Type: application/vnd.awslambda.http-integration-response\r\n"
            f"Transfer-Encoding: chunked\r\nTrailer: {TYPE}, {BODY}\r\n{echo}\r\n"
        )
        prelude = b'{"statusCode":200,"headers":{},"cookies":[]}' + b"\0" * 8 + b"begun"
        trailer = f"{TYPE}: Function.Error\r\n{BODY}: "
        trailer += "A" * (size - len(trailer) - 2) + "\r\n"
        chunk = b"%x\r\n%b\r\n0\r\n" % (len(prelude), prelude)
        connection.sendall(request.encode() + chunk + trailer.encode() + b"\r\n")
        read_response(connection)


if __name__ == "__main__":
    main(int(sys.argv[1]))
