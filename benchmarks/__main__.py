"""Measure all subjects interleaved in one run, and print a table with ratios (``make bench``)."""

from __future__ import annotations

import asyncio
import resource
import statistics
import sys
import urllib.request

from .breakdown import breakdown
from .client import PATHS, Connection
from .processes import Running
from .subjects import started

_BULK = {"tokenwire": 20_000, "typed loop": 1_000, "nginx": 20_000}
_ROUNDS = 7
_ASKS = 150
_IDLE = {"tokenwire": 2000, "typed loop": 800, "nginx": 2000}


async def cpu_per_block(subjects: dict[str, Running]) -> dict[str, float]:
    """Return each subject's median CPU microseconds per block, for blocks in rapid succession."""
    rounds: dict[str, list[float]] = {name: [] for name in _BULK if name in subjects}
    for number in range(_ROUNDS + 1):
        for name, found in rounds.items():
            connection = await Connection.to(subjects[name])
            before = subjects[name].cpu()
            await connection.first_byte(_model(name, f"bulk-{_BULK[name]}"))
            await connection.rest()
            spent = subjects[name].cpu() - before
            connection.close()
            if number:  # the first round is a warm-up
                found.append(spent / _BULK[name] * 1e6)
    return {name: statistics.median(found) for name, found in rounds.items()}


async def cpu_by_dialect(subject: Running) -> dict[str, float]:
    """Return the same for tokenwire, for clients of other dialects than the provider's."""
    rounds: dict[str, list[float]] = {name: [] for name in PATHS}
    count = _BULK["tokenwire"]
    for number in range(_ROUNDS + 1):
        for name, found in rounds.items():
            connection = await Connection.to(subject)
            before = subject.cpu()
            await connection.first_byte(f"openai/bulk-{count}", name)
            await connection.rest()
            spent = subject.cpu() - before
            connection.close()
            if number:
                found.append(spent / count * 1e6)
    return {name: statistics.median(found) for name, found in rounds.items()}


async def first_byte(subjects: dict[str, Running]) -> dict[str, list[float]]:
    """Return milliseconds to the first data byte, with the subjects in turn."""
    connections = {name: await Connection.to(subject) for name, subject in subjects.items()}
    found: dict[str, list[float]] = {name: [] for name in subjects}
    for number in range(_ASKS + 20):
        for name, connection in connections.items():
            took = await connection.first_byte(_model(name, "one"))
            await connection.rest()
            if number >= 20:
                found[name].append(took * 1e3)
    for connection in connections.values():
        connection.close()
    return found


async def memory_per_stream(subjects: dict[str, Running]) -> dict[str, float]:
    """Return KiB of resident memory per open stream that waits for its next token."""
    found = {}
    for name, count in _IDLE.items():
        if name not in subjects:
            continue
        subject = subjects[name]
        before = subject.memory()
        crowd = [await Connection.to(subject) for _ in range(count)]
        for at in range(0, count, 100):
            some = crowd[at : at + 100]
            await asyncio.gather(*(one.first_byte(_model(name, "idle")) for one in some))
        found[name] = (subject.memory() - before) / count / 1024
        if name == "tokenwire":
            _say(f"open viewers with {count} streams: {_viewers(subject):.0f}")
        for one in crowd:
            one.close()
        if name == "tokenwire":
            _say(f"open viewers when they have left: {await _left(subject):.0f}")
    return found


def _model(name: str, model: str) -> str:
    return f"openai/{model}" if name == "tokenwire" else model


def _viewers(subject: Running) -> float:
    with urllib.request.urlopen(f"http://127.0.0.1:{subject.port}/metrics") as response:
        lines = response.read().decode().splitlines()
    return next(float(x.split()[1]) for x in lines if x.startswith("tokenwire_open_viewers"))


async def _left(subject: Running) -> float:
    for _ in range(100):
        await asyncio.sleep(0.1)
        if (viewers := await asyncio.to_thread(_viewers, subject)) == 0:
            break
    return viewers


def _say(text: str) -> None:
    print(text, flush=True)


def _table(cpu: dict[str, float], first: dict[str, list[float]], memory: dict[str, float]) -> None:
    direct = statistics.median(first["provider"])
    _say("\n| | CPU µs per block | added to first byte, ms (median, p90) | KiB per open stream |")
    _say("| --- | --- | --- | --- |")
    for name, block in cpu.items():
        tenths = statistics.quantiles(first[name], n=10)
        middle, late = statistics.median(first[name]) - direct, tenths[8] - direct
        _say(f"| {name} | {block:.1f} | {middle:.2f}, {late:.2f} | {memory[name]:.0f} |")
    ratio = cpu["typed loop"] / cpu["tokenwire"]
    added = statistics.median(first["tokenwire"]) - direct
    _say(f"\nthe typed loop spends {ratio:.0f} times the CPU of tokenwire on a block (budget: 20)")
    _say(f"tokenwire adds {added:.2f} ms to the first byte (budget: 4)")
    if "nginx" in cpu:
        _say(f"tokenwire spends {cpu['tokenwire'] / cpu['nginx']:.1f} times the CPU of nginx")


async def main() -> None:
    """Measure everything and print the tables."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with started() as subjects:
        if "nginx" not in subjects:
            _say("nginx is not installed: left out")
        cpu = await cpu_per_block(subjects)
        first = await first_byte(subjects)
        memory = await memory_per_stream(subjects)
        _table(cpu, first, memory)
        by_dialect = await cpu_by_dialect(subjects["tokenwire"])
        _say("\n| a chat provider's blocks, encoded as | CPU µs per block | times |")
        _say("| --- | --- | --- |")
        for name, block in by_dialect.items():
            _say(f"| {name} | {block:.1f} | {block / by_dialect['chat']:.1f} |")
        _say("(budget: 3 times)")
        _say("\nwhere tokenwire's time to the first byte goes (CPU ms per request, this process):")
        for line in await breakdown(subjects["provider"].port):
            _say(f"  {line}")


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
