"""The least that can stream: a loop over blocking sockets, without ASGI, errors or deadlines."""

import http.client
import os

HEADERS = {
    "Lambda-Runtime-Function-Response-Mode": "streaming",
    "Content-Type": "application/vnd.awslambda.http-integration-response",
}
PRELUDE = b'{"statusCode":200,"headers":{"content-type":"text/plain"},"cookies":[]}' + bytes(8)
PATH = "/2018-06-01/runtime/invocation"


def main() -> None:
    connection = http.client.HTTPConnection(os.environ["AWS_LAMBDA_RUNTIME_API"])
    while True:
        connection.request("GET", f"{PATH}/next")
        response = connection.getresponse()
        response.read()
        target = f"{PATH}/{response.headers['Lambda-Runtime-Aws-Request-Id']}/response"
        parts = iter([PRELUDE, b"data: 1\n\n"])
        connection.request("POST", target, parts, HEADERS, encode_chunked=True)
        connection.getresponse().read()


if __name__ == "__main__":
    main()
