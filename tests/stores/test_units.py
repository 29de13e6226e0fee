"""What a stream costs in DynamoDB, counted in units."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from benchmarks.units import TOKENS, one_stream
from tests.stores.conftest import store_at
from tests.stores.servers import Server
from tokenwire.stores.dynamodb.store import DynamoDBStore


@pytest.mark.parametrize("kind", ["moto", "dynamodb_local"])
async def test_a_stream_of_500_tokens(
    kind: str, server_of: Callable[[str], Server], its_environment: Callable[[Server], None]
) -> None:
    """At most 60 write units, with one viewer elsewhere; by AWS's own count too, where it runs."""
    server = server_of(kind)
    its_environment(server)
    here, there = store_at(server), store_at(server)
    assert isinstance(here, DynamoDBStore)
    assert isinstance(there, DynamoDBStore)
    cost = await one_stream(here, there)
    await here.aclose()
    await there.aclose()
    assert cost.blocks == TOKENS + 2
    assert cost.written <= 60
    assert cost.read <= 60
    if kind == "dynamodb_local":
        reported = cost.producer.reported + cost.viewer.reported
        refused = cost.producer.refused + cost.viewer.refused
        assert refused <= 1  # a viewer's first lease: it is not known yet
        assert reported["write"] + refused == cost.written
        # Here a read that finds nothing is free. In a region it costs half a unit.
        assert reported["read"] <= cost.read
