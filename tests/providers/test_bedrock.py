"""Bedrock: signatures that botocore would make, binary streams, and an event loop that is free."""

from __future__ import annotations

import asyncio
import json
import struct
import sys
from binascii import crc32
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.fakes.eventstream import message
from tests.fakes.upstream import Act, Received, Upstream
from tests.fakes.work import allocated
from tests.matrix.cases import CASES, answer, heard, meaning, recording, split
from tokenwire.dialects import DIALECTS
from tokenwire.dialects.protocol import ParsedRequest
from tokenwire.errors import ClientError, ProxyError, UpstreamError
from tokenwire.providers.bedrock.event_stream import EventStream
from tokenwire.providers.bedrock.kind import BEDROCK
from tokenwire.providers.bedrock.provider import CONVERSE, OPENAI, Bedrock, BedrockApi
from tokenwire.providers.config import Config
from tokenwire.sse import MAX_BLOCK

MODEL = "anthropic.claude-x-v1:0"
ASK = ParsedRequest("m", True, {"model": "m", "messages": [{"role": "user", "content": "Hi"}]})


def at(upstream: Upstream, api: BedrockApi = CONVERSE) -> Bedrock:
    """A provider in front of the scripted upstream."""
    base_url = upstream.base_url.removesuffix("/v1")
    config = Config(base_url, max_retries=0, models=("x",))
    return Bedrock("bedrock", "us-east-1", config, api)


async def ask(provider: Bedrock, model: str = MODEL) -> bytes:
    """The whole body of an answer."""
    async with provider.open(ASK, model) as body:
        return b"".join([piece async for piece in body])


def signed_as_botocore_would(received: Received, base_url: str) -> bool:
    """Whether botocore, given the same request at the same time, comes to the same signature."""
    kept = ("content-type", "accept-encoding")
    headers = {name: received.headers[name] for name in kept}
    url = f"{base_url.removesuffix('/v1')}{received.path}"
    again = AWSRequest("POST", url, headers=headers, data=received.body)
    again.context["timestamp"] = received.headers["x-amz-date"]
    signer: Any = SigV4Auth(Credentials("x", "x"), "bedrock", "us-east-1")
    signer._modify_request_before_signing(again)
    again.headers.replace_header("X-Amz-Date", received.headers["x-amz-date"])
    signer.credentials = Credentials("x", "x")
    canonical = signer.canonical_request(again)
    signature = signer.signature(signer.string_to_sign(again, canonical), again)
    return received.headers["authorization"].endswith(f"Signature={signature}")


async def test_requests_are_signed(provider: Upstream, aws: MutableMapping[str, str]) -> None:
    """With the process's own credentials, for this very body and path."""
    answer(provider, "text", "converse")
    client = at(provider)
    await ask(client)
    await client.aclose()
    (received,) = provider.requests
    assert received.path == "/model/anthropic.claude-x-v1%3A0/converse-stream"
    assert "/us-east-1/bedrock/aws4_request" in received.headers["authorization"]
    assert signed_as_botocore_would(received, provider.base_url)
    assert received.json == {
        "messages": [{"role": "user", "content": [{"text": "Hi"}]}],
        "inferenceConfig": {"maxTokens": 8192},
    }


@pytest.mark.parametrize("case", CASES)
async def test_recording_means_the_case(
    case: str, provider: Upstream, aws: MutableMapping[str, str]
) -> None:
    """Binary events come out as those of the Messages API."""
    answer(provider, case, "converse")
    client = at(provider)
    decoder = DIALECTS["messages"].decoder()
    events = [event for block in split(await ask(client)) for event in decoder.decode(block)]
    await client.aclose()
    if case == "error":
        assert getattr(events[-1], "code", "") == "upstream_overloaded"
        assert "secret" not in repr(events)
    else:
        assert heard(events) == meaning(case, "converse")


async def test_cut_anywhere(provider: Upstream, aws: MutableMapping[str, str]) -> None:
    """Wherever the binary stream is cut, it says the same."""
    stream = recording("parallel", "converse")
    head = {"x-amzn-requestid": "r1"}
    provider.answer(stream, headers=head)
    client = at(provider)
    whole = await ask(client)
    for at_byte in range(1, len(stream), 37):
        provider.script_anew()
        provider.answer(stream[:at_byte], pause, stream[at_byte:], headers=head)
        assert await ask(client) == whole
    await client.aclose()


async def pause() -> None:
    """Let the client read what it has."""
    await asyncio.sleep(0.001)


async def test_end_without_counts_is_an_end(
    provider: Upstream, aws: MutableMapping[str, str]
) -> None:
    """The reason is enough; an event from a later version says nothing."""
    provider.answer(message("messageStart", {}), message("later", {}), message("messageStop", {}))
    client = at(provider)
    received = await ask(client)
    await client.aclose()
    assert received.count(b"event: ") == 3
    assert b"message_stop" in received


async def test_failures_are_ours(provider: Upstream, aws: MutableMapping[str, str]) -> None:
    """A refusal, a stream that is none, a connection that breaks; no credentials at all."""
    client = at(provider)
    provider.answer(b'{"message": "The model is not there"}', status=404)
    with pytest.raises(ClientError, match="no such model"):
        await ask(client)
    provider.script_anew()
    provider.answer(b"this is not an event stream at all, is it")
    with pytest.raises(UpstreamError) as caught:
        await ask(client)
    assert caught.value.code == "upstream_disconnected"
    provider.script_anew()
    provider.answer(recording("text", "converse")[:100], Act.RESET)
    with pytest.raises(UpstreamError):
        await ask(client)
    await client.aclose()
    del aws["AWS_ACCESS_KEY_ID"], aws["AWS_SECRET_ACCESS_KEY"]
    aws["AWS_SHARED_CREDENTIALS_FILE"] = "/nonexistent"
    unreachable = at(provider)
    with pytest.raises(ProxyError, match="bedrock:InvokeModelWithResponseStream"):
        await ask(unreachable)
    await unreachable.aclose()


async def test_openai_endpoint_is_signed_too(
    provider: Upstream, aws: MutableMapping[str, str]
) -> None:
    """For models that have one: chat in, chat out, verbatim."""
    answer(provider, "text", "chat")
    client = at(provider, OPENAI)
    assert await ask(client, "openai.gpt-oss") == recording("text", "chat")
    assert await client.models() == ["x"]
    await client.prepare()
    await client.aclose()
    (received,) = provider.requests
    assert received.path == "/openai/v1/chat/completions"
    assert received.json["stream_options"] == {"include_usage": True}
    assert signed_as_botocore_would(received, provider.base_url)


@pytest.mark.outside
async def test_parsing_is_short(aws: MutableMapping[str, str]) -> None:
    """While fifty streams run, no turn of the event loop takes 20 ms of its CPU."""
    environ = {name: value for name, value in aws.items() if not name.startswith("COV")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.providers.converse_turns"),
        env={**environ, "PYTHONPATH": ":".join(part for part in sys.path if part)},
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    found = json.loads(out)
    assert found["turns"] > 100
    assert found["p99"] < 20


async def test_slow_credentials_delay_no_other_request(
    provider: Upstream, aws: MutableMapping[str, str], tmp_path: Path
) -> None:
    """Botocore waits for its credentials, a second and more; meanwhile the event loop turns."""
    credentials = {"Version": 1, "AccessKeyId": "x", "SecretAccessKey": "x"}
    slow = tmp_path / "slow.sh"
    slow.write_text(f"sleep 1\necho '{json.dumps(credentials)}'\n")
    config = tmp_path / "config"
    config.write_text(f"[default]\ncredential_process = sh {slow}\n")
    del aws["AWS_ACCESS_KEY_ID"], aws["AWS_SECRET_ACCESS_KEY"]
    aws.update({"AWS_CONFIG_FILE": str(config), "AWS_SHARED_CREDENTIALS_FILE": "/nonexistent"})
    answer(provider, "text", "converse")
    client = at(provider)
    turns = 0

    async def watch() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0.01)
            turns += 1

    watching = asyncio.create_task(watch())
    assert b"message_stop" in await ask(client)
    watching.cancel()
    await client.aclose()
    assert turns > 20


async def test_parallel_calls_are_kept_to_one(
    provider: Upstream, aws: MutableMapping[str, str]
) -> None:
    """Neither Converse nor Gemini has an option for it, so calls beyond the first are left out."""
    answer(provider, "parallel", "converse")
    client = at(provider)
    tools = [{"type": "function", "function": {"name": "weather"}}]
    alone = {"tools": tools, "parallel_tool_calls": False}
    request = ParsedRequest("m", True, {**ASK.body, **alone})
    async with client.open(request, MODEL) as body:
        blocks = split(b"".join([piece async for piece in body]))
    await client.aclose()
    decoder = DIALECTS["messages"].decoder()
    found = heard(event for block in blocks for event in decoder.decode(block))
    assert [call[1] for call in found.calls] == ["weather"]
    assert found.finish == "tool_calls"


async def test_large_messages_are_refused(
    provider: Upstream, aws: MutableMapping[str, str]
) -> None:
    """A binary message may be as large as a block, and no larger."""
    sizes = {MAX_BLOCK // 2: True, MAX_BLOCK * 2: False}
    for size, is_taken in sizes.items():
        provider.script_anew()
        delta = {"contentBlockIndex": 0, "delta": {"text": "x" * size}}
        stream = (message("messageStart", {}), message("contentBlockDelta", delta))
        provider.answer(*stream, message("messageStop", {}))
        client = at(provider)
        if is_taken:
            assert b"message_stop" in await ask(client)
        else:
            with pytest.raises(UpstreamError) as caught:
                await ask(client)
            assert caught.value.code == "upstream_malformed"
        await client.aclose()


def test_a_message_in_small_pieces_is_not_copied_for_each() -> None:
    """Twice as large a message in pieces of some bytes costs twice, and not four times, as much."""

    def work(size: int) -> int:
        sent = message("contentBlockDelta", {"x": "y" * size})
        pieces = [sent[at : at + 64] for at in range(0, len(sent), 64)]
        messages = EventStream()
        return allocated(lambda parts: [m for part in parts for m in messages.feed(part)], pieces)

    assert work(100_000) < 2.6 * work(50_000)


@pytest.mark.parametrize("size", [1, 5, 12, 16, 10_000])
def test_messages_are_the_same_for_any_cut(size: int) -> None:
    """However the bytes come, each message comes once, and in order."""
    sent = b"".join(message("contentBlockDelta", {"n": n}) for n in range(20))
    messages = EventStream()
    pieces = (sent[at : at + size] for at in range(0, len(sent), size))

    found = [json.loads(each.payload)["n"] for piece in pieces for each in messages.feed(piece)]

    assert found == list(range(20))


@pytest.mark.parametrize("length", [0, 4, 12, 15])
def test_a_message_shorter_than_its_frame_is_refused(length: int) -> None:
    """With a right checksum too: it would be read again and again."""
    prelude = struct.pack(">II", length, 0)
    with pytest.raises(UpstreamError):
        list(EventStream().feed(prelude + struct.pack(">I", crc32(prelude)) + b"\0" * 32))


def files(folder: Path, config: str = "", credentials: str = "") -> dict[str, str]:
    """Variables that name these files of AWS's tools."""
    (folder / "config").write_text(config)
    (folder / "credentials").write_text(credentials)
    return {
        "AWS_CONFIG_FILE": str(folder / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": str(folder / "credentials"),
        "AWS_EC2_METADATA_DISABLED": "true",
    }


SSO = """
[default]
region = eu-west-3
sso_session = s
sso_account_id = 1
sso_role_name = r
[sso-session s]
sso_region = eu-west-3
sso_start_url = http://s
"""
KEYS = "aws_access_key_id = x\naws_secret_access_key = x\n"


@pytest.mark.parametrize(
    ("config", "credentials", "variables", "region"),
    [
        ("[default]\nregion = eu-west-3\n", f"[default]\n{KEYS}", {}, "eu-west-3"),
        ("[profile w]\nregion = eu-west-3\n", f"[w]\n{KEYS}", {"AWS_PROFILE": "w"}, "eu-west-3"),
        ("", f"[default]\n{KEYS}", {"AWS_REGION": "eu-west-1"}, "eu-west-1"),
        (SSO, "", {}, "eu-west-3"),
        ("[default]\nregion = eu-west-3\n", "", {}, None),
        ("", f"[default]\n{KEYS}", {}, None),
        ("", "", {"AWS_REGION": "eu-west-1", "AWS_PROFILE": "gone"}, "eu-west-1"),
        ("[default]\nregion = x\n", "", {"AWS_LAMBDA_RUNTIME_API": "x"}, None),
    ],
)
def test_on_by_the_credential_chain(
    aws: MutableMapping[str, str],
    tmp_path: Path,
    config: str,
    credentials: str,
    variables: dict[str, str],
    region: str | None,
) -> None:
    """Profiles and SSO count as for every tool of AWS, if there is a region too."""
    del aws["AWS_ACCESS_KEY_ID"], aws["AWS_SECRET_ACCESS_KEY"]
    environ = {**files(tmp_path, config, credentials), **variables}
    found = BEDROCK.from_environment(environ)
    assert (found and found["region"]) == region


def test_profile_that_does_not_exist_is_none(aws: MutableMapping[str, str], tmp_path: Path) -> None:
    """The chain's own errors leave the provider off."""
    environ = {**files(tmp_path, "[default]\nregion = x\n"), "AWS_PROFILE": "gone"}
    assert BEDROCK.from_environment(environ) is None
