"""Tickets: their stream, their expiry, and their signature."""

from __future__ import annotations

import pytest

from tests.fakes.clock import Clock
from tokenwire.auth.tickets import Tickets
from tokenwire.errors import ClientError, ProxyError


async def shared() -> bytes:
    """Return the secret of two processes."""
    return b"a secret of some length"


async def different() -> bytes:
    """Return the secret of a third process."""
    return b"another secret of some length"


async def test_ticket_opens_its_stream() -> None:
    """Another process with the same secret accepts a ticket."""
    clock = Clock()
    ticket, expires_at = await Tickets(shared, 60, clock).sign("st_a")

    await Tickets(shared, 60, clock).verify("st_a", ticket)

    assert expires_at == 1060


@pytest.mark.parametrize("forge", ["", "1", "1.2.3", "x", "1.9999999999.AAAA", "1..", "ü.1.2"])
async def test_forgeries_are_refused(forge: str) -> None:
    """A ticket with another signature is invalid."""
    with pytest.raises(ClientError) as caught:
        await Tickets(shared, 60).verify("st_a", forge)
    assert (caught.value.status, caught.value.code) == (401, "invalid_ticket")


async def test_ticket_is_bound() -> None:
    """A ticket is valid only for its stream, secret, expiry and version."""
    clock = Clock()
    tickets = Tickets(shared, 60, clock)
    ticket, _ = await tickets.sign("st_a")
    version, expires, mac = ticket.split(".")
    forged = [
        (tickets, "st_b", ticket),
        (Tickets(different, 60, clock), "st_a", ticket),
        (tickets, "st_a", f"{version}.{int(expires) + 1}.{mac}"),
        (tickets, "st_a", f"2.{expires}.{mac}"),
    ]
    for judge, stream, given in forged:
        with pytest.raises(ClientError, match="not valid"):
            await judge.verify(stream, given)


async def test_ticket_expires() -> None:
    """An expired ticket is refused as expired."""
    clock = Clock()
    tickets = Tickets(shared, 60, clock)
    ticket, _ = await tickets.sign("st_a")
    clock.now = 1061
    with pytest.raises(ClientError) as caught:
        await tickets.verify("st_a", ticket)
    assert caught.value.code == "expired_ticket"


async def test_short_secret_is_refused() -> None:
    """A short or empty secret is refused."""
    for text in (b"", b"short"):

        async def secret(result: bytes = text) -> bytes:
            return result

        with pytest.raises(ProxyError, match="at least 16 bytes"):
            await Tickets(secret, 60).sign("st_a")
