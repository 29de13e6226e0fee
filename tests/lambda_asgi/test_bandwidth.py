"""The limit on a streamed response's bandwidth."""

from __future__ import annotations

import asyncio

import pytest

from lambda_asgi.local.bandwidth import BURST, RATE, Bucket, Throttle
from tests.lambda_asgi.raw import raw_client

MIB = 1024 * 1024


def test_six_mebibytes_pass_at_once() -> None:
    """At the bound; one byte more waits for its own time."""
    bucket = Bucket()

    assert bucket.take(6 * MIB, now=100.0) == 0
    assert bucket.take(1, now=100.0) == pytest.approx(1 / RATE)


def test_rest_passes_at_two_mebibytes_a_second() -> None:
    """Whether it comes at once or in parts, and however long after."""
    bucket = Bucket()
    bucket.take(BURST, now=0.0)

    assert bucket.take(2 * MIB, now=0.0) == pytest.approx(1.0)
    assert bucket.take(2 * MIB, now=1.0) == pytest.approx(1.0)
    assert bucket.take(2 * MIB, now=3.0) == 0


def test_silence_saves_no_more_than_the_burst() -> None:
    """After an hour 6 MiB pass at once, not more."""
    bucket = Bucket()
    bucket.take(BURST, now=0.0)

    assert bucket.take(BURST, now=3600.0) == 0
    assert bucket.take(RATE, now=3600.0) == pytest.approx(1.0)


async def test_throttle_waits_as_the_bucket_says() -> None:
    """Counted on the event loop's own clock."""
    loop = asyncio.get_running_loop()
    throttle = Throttle(Bucket(burst=10, rate=100))
    began = loop.time()
    await throttle.wait(10)
    await throttle.wait(10)

    assert loop.time() - began >= 0.1


@pytest.mark.outside
@pytest.mark.parametrize("limited", [True, False])
async def test_response_passes_complete(limited: bool) -> None:
    """Slow or not, every byte arrives."""
    async with raw_client(limits_bandwidth=limited) as send:
        response = await send.streamed('{"statusCode":200}', "x" * MIB)

    assert len(response.content) == MIB
