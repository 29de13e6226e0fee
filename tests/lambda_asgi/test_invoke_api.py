"""The local Invoke API, as boto3 uses it."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

import boto3
import httpx2
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from lambda_asgi.local.invoke import MAX_ASYNC_EVENT
from tests.lambda_asgi.raw import STREAMED, raw_url

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

pytestmark = pytest.mark.outside

ERROR = {"errorType": "Function.Odd", "errorMessage": "no", "stackTrace": []}
ERROR_TYPE, ERROR_BODY = "Lambda-Runtime-Function-Error-Type", "Lambda-Runtime-Function-Error-Body"
SYNC = "/2015-03-31/functions/{}/invocations"


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """A function with two environments at most."""
    async with raw_url(environments=2) as found:
        yield found


def client(url: str) -> LambdaClient:
    """boto3's, without credentials."""
    config = Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}, read_timeout=20)
    return boto3.client("lambda", "us-east-1", endpoint_url=url, config=config)


async def called(act: Callable[[LambdaClient], Any], url: str) -> Any:
    """What a blocking call of boto3's returns."""
    return await asyncio.to_thread(lambda: act(client(url)))


def invoking(event: dict[str, Any], **how: Any) -> Callable[[LambdaClient], Any]:
    """``invoke``, with its payload read."""

    def act(boto: LambdaClient) -> Any:
        found = boto.invoke(FunctionName="any", Payload=json.dumps(event), **how)
        return {**found, "Payload": found["Payload"].read()}

    return act


def streaming(event: dict[str, Any], **how: Any) -> Callable[[LambdaClient], Any]:
    """``invoke_with_response_stream``, with its events read."""

    def act(boto: LambdaClient) -> Any:
        payload = json.dumps(event)
        found = boto.invoke_with_response_stream(FunctionName="any", Payload=payload, **how)
        return {**found, "EventStream": list(found["EventStream"])}

    return act


async def test_invoke_returns_the_payload(url: str) -> None:
    """With its status, the version and the invocation's id."""
    found = await called(invoking({"echo": 1}), url)

    payload = json.loads(found["Payload"])
    assert (found["StatusCode"], found["ExecutedVersion"]) == (200, "$LATEST")
    assert "FunctionError" not in found
    assert "LogResult" not in found
    assert payload["event"] == {"echo": 1}
    id_ = payload["headers"]["Lambda-Runtime-Aws-Request-Id"]
    assert found["ResponseMetadata"]["RequestId"] == id_


async def test_invoke_passes_the_contexts_on(url: str) -> None:
    """The client context as JSON, and the tenant's id."""
    context = base64.b64encode(b'{"client":{"a":1}}').decode()
    found = await called(invoking({"echo": 1}, ClientContext=context, TenantId="blue"), url)

    headers = json.loads(found["Payload"])["headers"]
    assert headers["Lambda-Runtime-Client-Context"] == '{"client":{"a":1}}'
    assert headers["Lambda-Runtime-Aws-Tenant-Id"] == "blue"


async def test_function_errors_are_named(url: str) -> None:
    """A 200 with ``FunctionError``, and the runtime's own JSON."""
    event = {"path": "error", "headers": {ERROR_TYPE: "Function.Odd"}, "parts": [json.dumps(ERROR)]}
    found = await called(invoking(event), url)

    assert (found["StatusCode"], found["FunctionError"]) == (200, "Unhandled")
    assert json.loads(found["Payload"]) == ERROR


async def test_log_tail_is_this_invocation_s(url: str) -> None:
    """``LogType=Tail``: the last 4 KB from START to REPORT, of this invocation alone."""
    await called(invoking({"parts": ["1"], "print": "first"}), url)
    second = await called(invoking({"parts": ["2"], "print": "second"}, LogType="Tail"), url)
    large = await called(invoking({"parts": ["3"], "print": "x" * 9000}, LogType="Tail"), url)

    log = base64.b64decode(second["LogResult"]).decode().splitlines()
    id_ = second["ResponseMetadata"]["RequestId"]
    assert log[:3] == [
        f"START RequestId: {id_} Version: $LATEST",
        "second",
        f"END RequestId: {id_}",
    ]
    assert log[3].startswith(f"REPORT RequestId: {id_}\tDuration: ")
    assert len(log) == 4
    assert len(base64.b64decode(large["LogResult"])) == 4096


async def test_event_is_answered_at_once(url: str, capfd: pytest.CaptureFixture[str]) -> None:
    """202, and the function runs afterwards."""
    found = await called(invoking({"parts": ["1"], "print": "later"}, InvocationType="Event"), url)
    await called(invoking({"parts": ["1"]}), url)

    assert (found["StatusCode"], found["Payload"]) == (202, b"")
    output = ""
    async with asyncio.timeout(20):
        while "later" not in output:
            output += capfd.readouterr().out
            await asyncio.sleep(0.02)


async def test_failed_event_is_logged(url: str, capfd: pytest.CaptureFixture[str]) -> None:
    """No request waits for it, so the log has it."""
    await called(invoking({"path": "error", "parts": ["{}"]}, InvocationType="Event"), url)

    output = ""
    async with asyncio.timeout(20):
        while "an asynchronous event failed: Runtime.Unknown" not in output:
            output += capfd.readouterr().out
            await asyncio.sleep(0.02)


async def test_dry_run_runs_nothing(url: str, capfd: pytest.CaptureFixture[str]) -> None:
    """204, and no START."""
    found = await called(invoking({"parts": ["1"]}, InvocationType="DryRun"), url)

    assert (found["StatusCode"], found["Payload"]) == (204, b"")
    assert "START" not in capfd.readouterr().out


async def test_stream_comes_in_frames(url: str) -> None:
    """Botocore checks every CRC; the payload is the runtime's bytes, prelude included."""
    event = {"headers": STREAMED, "parts": ['{"statusCode":200}\0\0\0\0\0\0\0\0', "one", "two"]}
    found = await called(streaming(event), url)

    *chunks, last = found["EventStream"]
    payload = b"".join(chunk["PayloadChunk"]["Payload"] for chunk in chunks)
    assert payload == b'{"statusCode":200}' + b"\0" * 8 + b"onetwo"
    assert last == {"InvokeComplete": {}}
    assert found["ResponseStreamContentType"] == "application/vnd.amazon.eventstream"
    assert (found["StatusCode"], found["ExecutedVersion"]) == (200, "$LATEST")


async def test_stream_that_fails_says_so_at_its_end(url: str) -> None:
    """The trailers' error in ``InvokeComplete``, with the log."""
    body = base64.b64encode(json.dumps(ERROR).encode()).decode()
    event = {
        "headers": {**STREAMED, "Trailer": f"{ERROR_TYPE}, {ERROR_BODY}"},
        "parts": ["half"],
        "trailers": {ERROR_TYPE: "Function.Odd", ERROR_BODY: body},
    }
    found = await called(streaming(event, LogType="Tail"), url)

    chunk, last = found["EventStream"]
    assert chunk["PayloadChunk"]["Payload"] == b"half"
    assert last["InvokeComplete"]["ErrorCode"] == "Function.Odd"
    assert json.loads(last["InvokeComplete"]["ErrorDetails"]) == ERROR
    assert b"START RequestId" in base64.b64decode(last["InvokeComplete"]["LogResult"])


async def test_stream_is_collected_for_a_buffered_call(url: str) -> None:
    """The bytes as the runtime sent them; more than 6 MiB are an error."""
    fits = await called(invoking({"headers": STREAMED, "parts": ["{}", "x"]}), url)
    large = {"headers": STREAMED, "parts": ["x" * 2**20], "times": 7}
    beyond = await called(invoking(large), url)

    assert fits["Payload"] == b"{}x"
    assert beyond["FunctionError"] == "Unhandled"
    assert json.loads(beyond["Payload"])["errorType"] == "Function.ResponseSizeTooLarge"


async def test_malformed_error_trailer_is_an_error_all_the_same(url: str) -> None:
    """Its type is known; of its body, nothing."""
    trailers = {ERROR_TYPE: "Function.Odd", ERROR_BODY: "%"}
    found = await called(invoking({"headers": STREAMED, "parts": ["x"], "trailers": trailers}), url)

    assert json.loads(found["Payload"]) == {
        "errorType": "Function.Odd",
        "errorMessage": "an error without a text",
    }


async def test_caller_that_leaves_stops_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    """The function runs to its end, and its environment is free again."""
    body = {"headers": STREAMED, "parts": ["x" * 2**20], "times": 20}
    path = "/2021-11-15/functions/f/response-streaming-invocations"
    async with (
        raw_url(environments=1) as one,
        httpx2.AsyncClient(base_url=one, trust_env=False, verify=False) as http,
    ):
        async with http.stream("POST", path, json=body) as response:
            await anext(response.aiter_raw())
        async with asyncio.timeout(30):
            while (await http.post(SYNC.format("f"), json={"parts": ["1"]})).status_code == 429:
                await asyncio.sleep(0.02)

    reports = [line for line in capfd.readouterr().out.splitlines() if line.startswith("REPORT")]
    assert len(reports) == 2
    assert "Status: error" not in reports[0]


async def test_buffered_response_is_one_chunk(url: str) -> None:
    """A runtime that does not stream can be invoked with a stream."""
    found = await called(streaming({"parts": ["1"]}), url)

    assert found["EventStream"] == [
        {"PayloadChunk": {"Payload": b"1"}},
        {"InvokeComplete": {}},
    ]


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [
        ({"InvocationType": "Odd"}, 400, "InvalidParameterValueException"),
        ({"ClientContext": "%"}, 400, "InvalidRequestContentException"),
        ({"Payload": "nonsense"}, 400, "InvalidRequestContentException"),
        (
            {"InvocationType": "Event", "Payload": f'"{"x" * (MAX_ASYNC_EVENT - 1)}"'},
            413,
            "RequestTooLargeException",
        ),
    ],
)
async def test_bad_requests_have_lambda_s_errors(
    url: str, how: dict[str, Any], status: int, code: str
) -> None:
    """boto3 raises them by their names."""
    with pytest.raises(ClientError) as caught:
        await called(lambda boto: boto.invoke(FunctionName="any", **how), url)

    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == status


async def test_event_at_the_limit_is_taken(url: str) -> None:
    """1 MiB of an asynchronous event."""
    payload = f'"{"x" * (MAX_ASYNC_EVENT - 2)}"'

    def act(boto: LambdaClient) -> Any:
        return boto.invoke(FunctionName="any", InvocationType="Event", Payload=payload)

    assert (await called(act, url))["StatusCode"] == 202


async def test_stream_cannot_be_an_event(url: str) -> None:
    """``InvokeWithResponseStream`` knows RequestResponse and DryRun."""
    with pytest.raises(ClientError, match="no such invocation type"):
        await called(streaming({}, InvocationType="Event"), url)


async def test_throttling_is_a_429() -> None:
    """``TooManyRequestsException``, with its reason."""
    async with (
        raw_url(environments=1) as one,
        httpx2.AsyncClient(trust_env=False, verify=False) as http,
    ):
        first = asyncio.create_task(http.post(one + SYNC.format("f"), json={"parts": ["1"]}))
        await asyncio.sleep(0)
        found = [await http.post(one + SYNC.format("f"), json={"parts": ["1"]}), await first]

    refused = [response for response in found if response.status_code == 429]
    assert len(refused) == 1
    assert refused[0].headers["x-amzn-errortype"] == "TooManyRequestsException"
    assert refused[0].json()["Reason"] == "ConcurrentInvocationLimitExceeded"


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", SYNC.format("f")), ("POST", "/2015-03-31/functions//invocations")],
)
async def test_other_paths_are_the_function_s(url: str, method: str, path: str) -> None:
    """What is not the Invoke API is a request for the function URL."""
    async with httpx2.AsyncClient(trust_env=False, verify=False) as http:
        response = await http.request(method, url + path, json={"echo": 1})

    assert response.json()["event"]["rawPath"] == path
