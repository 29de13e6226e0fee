"""What clients of the local function URL get for what a runtime sends, as on Lambda."""

from __future__ import annotations

import json

import httpx2
import pytest

from lambda_asgi.local.response import MAX_PRELUDE
from tests.lambda_asgi.raw import STREAMED, raw_client

pytestmark = pytest.mark.outside

MIB = 1024 * 1024


async def test_request_id_is_the_invocation_s() -> None:
    """The event, the Runtime API's header and the response name the same id."""
    async with raw_client() as send:
        response = await send(echo=True)

    found = response.json()
    id_ = response.headers["x-amzn-requestid"]
    assert found["event"]["requestContext"]["requestId"] == id_
    assert found["headers"]["Lambda-Runtime-Aws-Request-Id"] == id_


@pytest.mark.parametrize(
    ("prelude", "content_type"),
    [
        ('{"statusCode":200,"headers":{"Content-Type":"text/plain"}}', "text/plain"),
        ('{"statusCode":200}', "application/octet-stream"),
        ("{}", "application/octet-stream"),
    ],
)
async def test_streamed_content_type(prelude: str, content_type: str) -> None:
    """A prelude without a content type means bytes."""
    async with raw_client() as send:
        response = await send.streamed(prelude, "x")

    assert (response.status_code, response.text) == (200, "x")
    assert response.headers.get_list("content-type") == [content_type]


async def test_buffered_content_type() -> None:
    """A buffered response without one is JSON, with a statusCode and without."""
    async with raw_client() as send:
        framed = await send(parts=['{"statusCode":201,"body":"x"}'])
        bare = await send(parts=['{"x":1}'])

    assert (framed.status_code, framed.text) == (201, "x")
    assert (bare.status_code, bare.text) == (200, '{"x":1}')
    for response in (framed, bare):
        assert response.headers["content-type"] == "application/json"


async def test_stream_without_a_prelude_is_a_200() -> None:
    """A stream of any other type is the body itself, of that type."""
    mode = {"Lambda-Runtime-Function-Response-Mode": "streaming"}
    async with raw_client() as send:
        typed = await send(headers={**mode, "Content-Type": "text/plain"}, parts=["a", "b"])
        untyped = await send(headers=mode, parts=["a", "b"])

    assert (typed.status_code, typed.text) == (200, "ab")
    assert typed.headers["content-type"] == "text/plain"
    assert (untyped.text, untyped.headers["content-type"]) == ("ab", "application/octet-stream")


async def test_headers_that_lambda_sets_are_remapped() -> None:
    """The function's come under another name, and Lambda's own stay."""
    headers = {
        "WWW-Authenticate": "Bearer",
        "Server": "mine",
        "Date": "then",
        "Content-Length": "1",
        "Connection": "close",
        "Transfer-Encoding": "gzip",
        "X-Amzn-RequestId": "mine",
        "X-Own": "y",
    }
    async with raw_client() as send:
        prelude = {"statusCode": 401, "headers": headers}
        streamed = await send.streamed(json.dumps(prelude), "body")
        buffered = await send(parts=[json.dumps({**prelude, "body": "body"})])

    for response in (streamed, buffered):
        assert (response.status_code, response.text) == (401, "body")
        assert response.headers["x-own"] == "y"
        assert "www-authenticate" not in response.headers
        assert response.headers["x-amzn-remapped-www-authenticate"] == "Bearer"
        assert response.headers["x-amzn-remapped-server"] == "mine"
        assert response.headers["x-amzn-remapped-date"] == "then"
        assert response.headers["x-amzn-remapped-connection"] == "close"
        assert response.headers["x-amzn-remapped-x-amzn-requestid"] == "mine"
        assert len(response.headers["x-amzn-requestid"]) == 36
        assert response.headers["date"] != "then"
    assert streamed.headers["x-amzn-remapped-content-length"] == "1"
    assert "x-amzn-remapped-content-length" not in buffered.headers


async def test_utf8_headers_are_encoded_once() -> None:
    """Both ways: UTF-8 of the client is text in the event, text of a runtime is bytes once."""
    async with raw_client() as send:
        headers = [(b"x-name", "ü€".encode()), (b"x-latin", b"\xfc")]
        request = send.client.build_request("POST", "/", json={"echo": True})
        request.headers.raw.extend(headers)
        sent = httpx2.Headers([*request.headers.raw, *headers])
        echoed = await send.client.post("/", content=b'{"echo":true}', headers=sent.raw)
        both = '{"statusCode":200,"headers":{"x-wide":"\\u20ac","x-narrow":"\\u00c3\\u00bc"}}'
        response = await send.streamed(both, "x")

    event = echoed.json()["event"]
    assert event["headers"]["x-name"] == "ü€"
    assert event["headers"]["x-latin"] == "ü"
    raw = dict(response.headers.raw)
    assert raw[b"x-wide"] == "€".encode()
    assert raw[b"x-narrow"] == "ü".encode()


@pytest.mark.parametrize(
    "prelude",
    [
        "nonsense",
        "[]",
        '{"statusCode":"200"}',
        '{"statusCode":99}',
        '{"statusCode":600}',
        '{"statusCode":200,"headers":[]}',
        '{"statusCode":200,"cookies":1}',
        "[" * 5000,
        '{"statusCode":200,"headers":{"x":"' + "y" * MAX_PRELUDE + '"}}',
    ],
)
async def test_malformed_preludes_are_502(prelude: str, capfd: pytest.CaptureFixture[str]) -> None:
    """The client gets a 502, the log a reason, and the rest of the body is dropped."""
    async with raw_client() as send:
        refused = await send.streamed(prelude, "rest")
        fine = await send.streamed('{"statusCode":200}', "x")

    assert (refused.status_code, fine.status_code) == (502, 200)
    assert refused.headers["x-amzn-errortype"] == "Function.InvalidResponse"
    assert "not an HTTP response" in capfd.readouterr().out


@pytest.mark.parametrize(
    "answer", ['{"statusCode":1}', '{"statusCode":200,"body":"!","isBase64Encoded":true}']
)
async def test_malformed_buffered_responses_are_502(answer: str) -> None:
    """A statusCode says that a response is meant."""
    async with raw_client() as send:
        assert (await send(parts=[answer])).status_code == 502


async def test_prelude_may_be_cut_anywhere() -> None:
    """In the JSON, and inside the eight NULs."""
    text = '{"statusCode":200}' + "\0" * 8 + "body"
    async with raw_client() as send:
        for size in (1, 7, 20):
            parts = [text[at : at + size] for at in range(0, len(text), size)]
            assert (await send(headers=STREAMED, parts=parts)).text == "body"


@pytest.mark.parametrize(("size", "complete"), [(MIB, True), (MIB + 1, False)])
async def test_streamed_responses_have_a_limit(
    size: int, complete: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    """At the limit a stream is complete; beyond it the connection breaks off, and it is logged.

    The limit is 200 MiB, prelude included; here 1 MiB, since it is the same code.
    """
    prelude = '{"statusCode":200}'
    rest = size - len(prelude) - 8
    async with raw_client(max_streamed=MIB) as send:
        if complete:
            assert len((await send.streamed(prelude, "x" * rest)).content) == rest
        else:
            with pytest.raises(httpx2.RemoteProtocolError):
                await send.streamed(prelude, "x" * rest)
        assert (await send.streamed(prelude, "x")).text == "x"
    assert ("Function.ResponseSizeTooLarge" in capfd.readouterr().out) is not complete


async def test_buffered_responses_have_a_limit() -> None:
    """6 MiB and 100 bytes, as in AWS's emulator."""
    async with raw_client() as send:
        fits = await send(parts=["x" * 1_572_889], times=4)
        beyond = await send(parts=["x" * 1_572_890], times=4)

    assert (fits.status_code, len(fits.content)) == (200, 6 * MIB + 100)
    assert beyond.status_code == 502
    assert beyond.headers["x-amzn-errortype"] == "Function.ResponseSizeTooLarge"


async def test_status_without_a_phrase() -> None:
    """Any status from 200 to 599."""
    async with raw_client() as send:
        assert (await send.streamed('{"statusCode":299}', "x")).status_code == 299


async def test_unknown_response_mode_is_refused() -> None:
    """As Lambda refuses it, by name."""
    async with raw_client() as send:
        mode = {"Lambda-Runtime-Function-Response-Mode": "fast"}
        response = await send(headers=mode, parts=["x"])

    assert response.status_code == 502
    assert response.headers["x-amzn-errortype"] == "Runtime.InvalidResponseModeHeader"


async def test_stream_that_breaks_off_breaks_off() -> None:
    """A runtime's connection that ends early ends the client's."""
    async with raw_client() as send:
        with pytest.raises(httpx2.RemoteProtocolError):
            await send.streamed('{"statusCode":200}', "x", cut=True)


async def test_buffered_url_sends_complete_responses() -> None:
    """``InvokeMode: BUFFERED``: a length, and a 502 in place of half a body."""
    async with raw_client(streams=False) as send:
        streamed = await send.streamed('{"statusCode":200}', "a", "b")
        framed = await send(parts=['{"statusCode":201,"body":"x"}'])
        failed = await send.streamed('{"statusCode":200}', "a", cut=True)
        endless = await send(headers=STREAMED, parts=["{}"])
        large = await send.streamed('{"statusCode":200}', "x" * MIB, times=7)

    assert (streamed.text, streamed.headers["content-length"]) == ("ab", "2")
    assert (framed.status_code, framed.text) == (201, "x")
    assert failed.status_code == endless.status_code == large.status_code == 502
    assert large.headers["x-amzn-errortype"] == "Function.ResponseSizeTooLarge"
