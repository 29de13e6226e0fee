"""Names and secrets in a store that loses them."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.fakes.clock import Clock
from tests.stores.scene import KINDS, scene
from tests.stores.servers import Server
from tokenwire.auth.tickets import Tickets
from tokenwire.errors import ClientError
from tokenwire.stores.contract import Names
from tokenwire.stores.exceptions import StoreError
from tokenwire.stores.shared_secret import SharedSecret

ServerOf = Callable[[str], Server]
Environment = Callable[[Server], None]


def tickets(names: Names, clock: Clock) -> Tickets:
    """A process's."""
    secret = SharedSecret(names, clock)
    return Tickets(secret, 60, others=secret.others)


@pytest.mark.parametrize("kind", KINDS)
async def test_tickets_signed_elsewhere_outlive_a_flush(
    kind: str, server_of: ServerOf, its_environment: Environment
) -> None:
    """Another process makes a new secret; what was signed with either is good everywhere."""
    clock = Clock()
    async with scene(kind, server_of, its_environment) as at:
        old = tickets(at.store, clock)
        before, _ = await old.sign("st_1")
        at.damage.lose_everything()
        new = tickets(at.other, clock)
        after, _ = await new.sign("st_1")
        await old.verify("st_1", before)
        clock.now += 1.1  # a process looks for a secret that it does not know once a second
        await old.verify("st_1", after)
        clock.now += 1.1
        await new.verify("st_1", before)
        with pytest.raises(ClientError):
            await new.verify("st_2", before)


async def test_known_secret_is_used_while_the_store_fails() -> None:
    """Only a process that never knew one has to ask; how often the others do is bounded."""
    requests = 0
    fails = False

    class Counted:
        """Names that count and fail."""

        async def claim(self, *_: object, **__: object) -> None:
            nonlocal requests
            requests += 1
            if fails:
                raise StoreError("scripted")

    names: Names = Counted()  # type: ignore[assignment]
    clock = Clock()
    secret, other = SharedSecret(names, clock), SharedSecret(names, clock)
    first = await secret()
    fails = True
    assert [await secret() for _ in range(100)] == [first] * 100
    assert requests == 1
    clock.now += 5
    assert [await secret() for _ in range(100)] == [first] * 100
    assert requests == 2
    with pytest.raises(StoreError):
        await other()
