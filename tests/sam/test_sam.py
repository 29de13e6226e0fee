"""The SAM CLI for real: every event invoked, and the API served, in containers."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import openai
import pytest

from tests.fakes.ports import reserved_port
from tests.http.reading import read, text_of
from tests.sam.conftest import ARCH, SAM, Ended, reachable, run, running
from tests.stores.servers import make_table
from tokenwire.stores.dynamodb.store import DynamoDBStore
from tokenwire.stores.records import Meta

if TYPE_CHECKING:
    from mypy_boto3_ssm import SSMClient

pytestmark = [pytest.mark.sam, pytest.mark.timeout(300)]


TABLE = "StreamsTable"
"""What SAM calls the table, where there is no stack: by its name in the template."""


@pytest.fixture
def parameters(build: Path, aws: dict[str, str]) -> Iterator[str]:
    """SSM and DynamoDB, by moto, where containers reach them, with what the template names."""
    import boto3
    from moto.server import ThreadedMotoServer

    address = reachable()
    server = ThreadedMotoServer(ip_address=address, port=0, verbose=False)
    server.start()
    url = f"http://{address}:{server.get_host_and_port()[1]}"
    client: SSMClient = boto3.client("ssm", endpoint_url=url, region_name="us-east-1")
    for name, value in {
        "openai-api-key": "sk-none",
        "api-keys": "key-one-of-tests,key-two-of-tests,key-of-this-machine",
    }.items():
        client.put_parameter(
            Name=f"/tokenwire/{name}", Value=value, Type="SecureString", Overwrite=True
        )
    client.close()
    make_table(url, TABLE)
    yield url
    server.stop()


def variables(tmp_path: Path, aws: str, store: str = "memory://") -> Path:
    """The file that gives a local function its variables."""
    file = tmp_path / "variables.json"
    variables = {"AWS_ENDPOINT_URL_SSM": aws, "TOKENWIRE_DEFAULT_MODEL": "demo/markdown"}
    variables |= {"TOKENWIRE_DEMO": "true"}
    variables |= {"AWS_ENDPOINT_URL_DYNAMODB": aws, "TOKENWIRE_STORE": store}
    file.write_text(json.dumps({"ProxyFunction": variables}))
    return file


async def invoke(build: Path, event: str, variables: Path) -> Ended:
    """``sam local invoke``."""
    command: list[str | Path] = [SAM, "local", "invoke", "ProxyFunction"]
    command += ["--template", build / "template.yaml"]
    file = event if "/" in event else f"events/{event}.json"
    command += ["--event", file, "--env-vars", variables, "--skip-pull-image"]
    return await run([*command, "--parameter-overrides", f"Architecture={ARCH}"])


@pytest.mark.parametrize("event", ["http-api-v2", "rest-api-v1", "alb"])
async def test_front_doors_are_answered(
    event: str, build: Path, parameters: str, tmp_path: Path
) -> None:
    """Each front door's event, buffered, in its own form."""
    ended = await invoke(build, event, variables(tmp_path, parameters))
    assert ended.status == 0, ended.err
    assert ended.json["statusCode"] == 200
    assert json.loads(ended.json["body"]) == {"status": "ok"}
    assert "REPORT RequestId" in ended.err


async def test_function_url_is_answered_whole(build: Path, parameters: str, tmp_path: Path) -> None:
    """Under SAM a stream is one JSON answer; the caller's key comes from SSM, decrypted."""
    file = variables(tmp_path, parameters)
    ended = await invoke(build, "function-url", file)
    assert ended.status == 0, ended.err
    assert (ended.json["statusCode"], ended.json["headers"]["content-type"]) == (
        200,
        "text/event-stream; charset=utf-8",
    )
    body = ended.json["body"].encode()
    assert text_of(body)
    assert read(body)[-1][1] == "[DONE]"
    logged = [json.loads(line) for line in ended.err.splitlines() if line.startswith('{"level"')]
    (line,) = [entry for entry in logged if entry["message"] == "request"]
    assert line["http"]["route"] == "/api/stream"
    assert line["cold_start"] is True


async def test_events_need_no_aws(build: Path) -> None:
    """With the variables that samconfig.toml names, the demo answers without any account."""
    ended = await invoke(build, "function-url", Path("events/local.json"))
    assert ended.status == 0, ended.err
    assert read(ended.json["body"].encode())[-1][1] == "[DONE]"


async def test_worker_event_runs_a_stream(
    build: Path, parameters: str, tmp_path: Path, aws: dict[str, str]
) -> None:
    """What a request has reserved in the table is there, whole, when the worker is done.

    Delivered twice, the event does no more work.
    """
    aws |= {"AWS_ENDPOINT_URL_DYNAMODB": parameters, "AWS_DEFAULT_REGION": "us-east-1"}
    job = json.loads(Path("events/worker.json").read_text())
    store = DynamoDBStore(TABLE)
    await store.reserve(Meta(job["stream"], job["owner"], "demo", "chat", job["model"], 1))
    file = variables(tmp_path, parameters, f"dynamodb://{TABLE}")
    ended = await invoke(build, "worker", file)
    assert ended.json == {"stream": job["stream"], "end_reason": "done"}, ended.err
    follower = await store.open(job["stream"])
    assert follower is not None
    batches = await follower.read(0)
    assert batches[0].first == 1
    assert batches[-1].end is not None
    assert batches[-1].end.reason == "done"
    again = await invoke(build, "worker", file)
    assert again.json == {"stream": job["stream"], "end_reason": "taken"}
    await store.aclose()


async def test_other_events_are_refused_in_words(
    build: Path, parameters: str, tmp_path: Path
) -> None:
    """An event that no front door sends, and that is not the function's own."""
    file = tmp_path / "event.json"
    file.write_text('{"Records": []}')
    ended = await invoke(build, str(file), variables(tmp_path, parameters))
    assert ended.json["errorType"] == "Runtime.UnsupportedEvent"
    assert "HTTP events" in ended.json["errorMessage"]


@asynccontextmanager
async def start_api(build: Path, variables: Path, log: Path) -> AsyncIterator[str]:
    """``sam local start-api``, once it answers."""
    port = reserved_port()
    command: list[object] = [
        SAM,
        "local",
        "start-api",
        "--template",
        build / "template.yaml",
        "--port",
        port,
    ]
    command += ["--env-vars", variables, "--skip-pull-image", "--warm-containers", "EAGER"]
    command += ["--parameter-overrides", f"Architecture={ARCH}"]
    url = f"http://127.0.0.1:{port}"
    async with running(list(map(str, command)), log), httpx2.AsyncClient(trust_env=False) as client:
        deadline = time.monotonic() + 120
        while True:
            try:
                if (await client.get(f"{url}/healthz", timeout=30)).status_code == 200:
                    break
            except httpx2.HTTPError:
                assert time.monotonic() < deadline, log.read_text()
                await asyncio.sleep(0.5)
        yield url


async def test_start_api_serves_curl_and_the_sdk(
    build: Path, parameters: str, tmp_path: Path
) -> None:
    """Buffered, with the keys of SSM: the page, typed events, chunks, errors."""
    log = tmp_path / "sam.log"
    async with start_api(build, variables(tmp_path, parameters), log) as url:
        page = await run(["curl", "-s", "-i", f"{url}/"])
        assert "HTTP/1.1 200 OK" in page.out
        assert "<title>" in page.out
        key, kind = "Authorization: Bearer key-two-of-tests", "Content-Type: application/json"
        message = '{"message": "Hello /fast"}'
        typed = await run(
            ["curl", "-sN", f"{url}/api/stream", "-H", key, "-H", kind, "-d", message]
        )
        assert text_of(typed.out.encode())
        refused = await run(["curl", "-s", f"{url}/api/stream", "-d", "{}"])
        assert "missing_api_key" in refused.out
        detached = await run(
            ["curl", "-s", "-w", "%{http_code}", f"{url}/v1/streams", "-H", key, "-d", message]
        )
        assert detached.out.endswith("501")
        client = openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="key-one-of-tests", max_retries=0)
        async with client:
            answer = ""
            stream = await client.chat.completions.create(
                model="demo/markdown",
                messages=[{"role": "user", "content": "Hello /fast"}],
                stream=True,
            )
            async for chunk in stream:
                answer += (chunk.choices[0].delta.content or "") if chunk.choices else ""
            assert answer == text_of(typed.out.encode())
            whole = await client.chat.completions.create(
                model="demo/markdown", messages=[{"role": "user", "content": "Hello /fast"}]
            )
            assert whole.choices[0].message.content == answer
    assert "key-one-of-tests" not in log.read_text()
    assert "sk-none" not in log.read_text()
