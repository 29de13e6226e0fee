"""A first answer of a real model, through the new URL."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any, Self

import httpx2
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tokenwire.sse import Parser

from .errors import DeployError

PROMPT = "Say hello in one short sentence."
Sign = Callable[[httpx2.Request], None]


def signer(credentials: Credentials, region: str) -> Sign:
    """Return what signs a request for a URL whose ``AuthType`` is ``AWS_IAM``."""

    def sign(request: httpx2.Request) -> None:
        signed = AWSRequest(request.method, str(request.url), data=request.read())
        SigV4Auth(credentials, "lambda", region).add_auth(signed)
        request.headers.update(dict(signed.headers))

    return sign


class Url:
    """The deployed function; a context manager, which closes its connections.

    Args:
        base_url: Its URL.
        key: A caller's key, sent as ``x-api-key``.
        sign: Signs requests; None for a URL that anyone may call.
    """

    def __init__(self, base_url: str, key: str, sign: Sign | None = None) -> None:
        self._client = httpx2.Client(base_url=base_url, timeout=60)
        self._headers, self._sign = {"x-api-key": key}, sign

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def model(self) -> str:
        """Return the model for the first stream: the default, or else the first real one.

        Raises:
            DeployError: There is none, or the URL does not answer.
        """
        body = json.loads(b"".join(self._answer("GET", "v1/models")))
        names = [model["id"] for model in body["data"]]
        real = [name for name in (body.get("default"), *names) if name and not _is_demo(name)]
        if not real:
            raise DeployError("The URL works, but no real model is on: no provider has a key.")
        return str(real[0])

    def stream(self, model: str) -> Iterator[str]:
        """Ask the model; yield its answer as it arrives.

        Raises:
            DeployError: The stream failed; the message has its code.
        """
        body = {"message": PROMPT, "model": model, "max_tokens": 200}
        for event in _events(self._answer("POST", "api/stream", body)):
            if event["type"] == "error":
                raise DeployError(f"{model} failed: {event['code']}: {event['message']}")
            if event["type"] == "content":
                yield event["delta"]

    def _answer(self, method: str, path: str, body: Any = None) -> Iterator[bytes]:
        request = self._client.build_request(method, path, json=body, headers=self._headers)
        if self._sign is not None:
            self._sign(request)
        try:
            with closing(self._client.send(request, stream=True)) as response:
                if response.status_code != httpx2.codes.OK:
                    raise _failed(response)
                yield from response.iter_bytes()
        except httpx2.HTTPError as error:
            raise DeployError(f"{request.url} does not answer: {type(error).__name__}") from None


def _is_demo(name: str) -> bool:
    return name.partition("/")[0] == "demo"


def _events(parts: Iterator[bytes]) -> Iterator[dict[str, Any]]:
    parser = Parser()
    for part in parts:
        for event in parser.feed(part):
            if event.data != "[DONE]":
                yield json.loads(event.data)


def _failed(response: httpx2.Response) -> DeployError:
    response.read()
    try:
        body = response.json()
        error = body if body.get("type") == "error" else body.get("error", body)
        text = error.get("message") or error.get("Message")
    except (ValueError, AttributeError):
        text = None
    return DeployError(
        f"{response.url} answers {response.status_code}: {text or 'no reason given'}"
    )
