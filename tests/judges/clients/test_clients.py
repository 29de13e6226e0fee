"""Every client, every provider kind, every case: the same answer, and typed errors."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from tests.judges.clients.starting import NotHere, Outcomes, run
from tests.judges.clients.table import CHECKS, CLIENTS, PROVIDERS

CASES = [
    (client, case, provider)
    for client, output in CLIENTS.items()
    for case in output.cases
    for provider in PROVIDERS
]

pytestmark = [
    pytest.mark.judge(
        "clients of others", f"{len(CLIENTS)} clients, 4 provider kinds, through aimock"
    ),
    pytest.mark.timeout(900),
]


@pytest.fixture(scope="session")
def outcomes(
    request: pytest.FixtureRequest, tokenwire_url: str
) -> Iterator[Callable[[str], Outcomes]]:
    """Runs the programs that this session needs, two at a time; what the clients of one had."""
    names = [getattr(item, "callspec", None) for item in request.session.items]
    clients = {output.params["client"] for output in names if output and "client" in output.params}
    programs = {client.program for name, client in CLIENTS.items() if name in clients}
    with ThreadPoolExecutor(2) as pool:
        running = {name: pool.submit(run, name, tokenwire_url) for name in sorted(programs)}

        def of(program: str) -> Outcomes:
            if program not in running:
                running[program] = pool.submit(run, program, tokenwire_url)
            try:
                return running[program].result()
            except NotHere as why:
                pytest.skip(f"skipped: {why}")

        yield of


@pytest.mark.parametrize(("client", "case", "provider"), CASES)
def test_client(client: str, case: str, provider: str, outcomes: Callable[[str], Outcomes]) -> None:
    """What the client has at the end is what the provider sent, or a typed error."""
    found = outcomes(CLIENTS[client].program)
    assert (client, case, PROVIDERS[provider]) in found, "the program printed no outcome"
    CHECKS[case](found[client, case, PROVIDERS[provider]], CLIENTS[client])


def test_leaving_stops_the_provider(
    outcomes: Callable[[str], Outcomes], tokenwire_url: str
) -> None:
    """Each client that left after the first words has stopped its stream, for every provider."""
    left = {
        provider: sum(
            (name, "cancel", model) in outcomes(client.program)
            for name, client in CLIENTS.items()
            if "cancel" in client.cases
        )
        for provider, model in PROVIDERS.items()
    }
    deadline = time.monotonic() + 20
    while (stopped := _cancelled(tokenwire_url)) and time.monotonic() < deadline:
        if all(stopped.get(provider, 0) >= count for provider, count in left.items()):
            return
        time.sleep(0.2)
    pytest.fail(f"left: {left}, cancelled: {stopped}")


def _cancelled(base_url: str) -> dict[str, int]:
    """How many streams of each provider were cancelled, by the server's own count."""
    text = httpx2.get(f"{base_url}/metrics", trust_env=False).text
    wanted = 'tokenwire_streams_total{end_reason="cancelled",provider="'
    lines = [line.removeprefix(wanted) for line in text.splitlines() if line.startswith(wanted)]
    return {line.partition('"')[0]: int(float(line.rpartition(" ")[2])) for line in lines}
