"""Measurements in interleaved rounds: of every subject, one scenario after the other."""

from __future__ import annotations

import os
import statistics
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from .generator import Generator, Missing, Result
from .processes import Running
from .programs import Bench, Start

QUICK = os.environ.get("QUICK") == "1"
ROUNDS = int(os.environ.get("ROUNDS", "1" if QUICK else "3"))
_SECONDS = 2 if QUICK else 4
_SLOW = {"typed loop", "LiteLLM", "Portkey"}
"""Subjects that get few blocks of ``bulk``: the rest would only take time."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """One way to load a subject.

    Args:
        name: Under which its results are.
        command: Of the load generator.
        flags: Of that command.
        once: Whether the first round alone runs it.
    """

    name: str
    command: str
    flags: tuple[str, ...] = ()
    once: bool = False


IDLE = Scenario("idle", "idle", (f"-streams={200 if QUICK else 500}",), once=True)
FIRST = Scenario("first", "first", (f"-streams={100 if QUICK else 300}",))
BULK = Scenario("bulk", "bulk", ("-streams=50",))
SLOW = Scenario("slow", "slow", ("-streams=20", "-seconds=2"), once=True)


def paced(streams: int, dialect: str = "chat") -> Scenario:
    """As models do: each stream has 50 blocks a second."""
    flags = (f"-streams={streams}", f"-seconds={_SECONDS}", f"-dialect={dialect}")
    name = f"paced {streams}" if dialect == "chat" else f"paced {streams} {dialect}"
    return Scenario(name, "paced", flags)


@dataclass(slots=True)
class Results:
    """What has been measured, and what could not be, with the reason."""

    found: dict[tuple[str, str], list[Result]] = field(default_factory=lambda: defaultdict(list))
    missing: dict[str, str] = field(default_factory=dict)
    failed: set[tuple[str, str]] = field(default_factory=set)
    sustained: dict[str, int] = field(default_factory=dict)

    def median(self, subject: str, scenario: str, key: str) -> float | None:
        """Return the median of a value over the rounds; None if there is none."""
        values = [result[key] for result in self.found.get((subject, scenario), ())]
        return statistics.median(values) if values else None

    def names(self) -> list[str]:
        """Return the subjects, in their order."""
        return list(dict.fromkeys(name for name, _ in self.found))


@contextmanager
def opened() -> Iterator[Bench]:
    """A place to measure at: the generator on the first core, subjects on the last.

    Raises:
        Missing: There is no load generator.
    """
    cores = sorted(os.sched_getaffinity(0))
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory()))
        yield Bench.opened(stack, folder, Generator.build(cores[0]), cores[-1])


def start(bench: Bench, starts: Sequence[Start], results: Results) -> list[Running]:
    """Start the subjects; those that cannot be are noted."""
    running = []
    for one in starts:
        try:
            running.append(one(bench))
        except (Missing, RuntimeError) as error:
            results.missing[one.__name__] = str(error)
            print(f"left out: {error}", flush=True)
    return running


def measure(
    bench: Bench, subjects: Sequence[Running], scenarios: Sequence[Scenario], results: Results
) -> None:
    """Run all scenarios for all subjects, in as many rounds as ``ROUNDS`` says."""
    for number in range(ROUNDS):
        for scenario in scenarios:
            if number and scenario.once:
                continue
            for subject in subjects:
                if (subject.name, scenario.name) in results.failed:
                    continue  # it would take its two minutes again
                noted(results, subject, scenario.name, partial(once, bench, subject, scenario))


def noted(results: Results, subject: Running, name: str, run: Callable[[], Result]) -> None:
    """Add a result, or the reason for which there is none."""
    try:
        result = run()
    except Missing as error:
        results.missing[f"{subject.name}, {name}"] = str(error)
        results.failed.add((subject.name, name))
        print(f"{subject.name}: {name}: {error}", flush=True)
        return
    results.found[subject.name, name].append(result)
    shown = {key: round(value, 2) for key, value in result.items()}
    print(f"{subject.name}: {name}: {shown}", flush=True)


def once(bench: Bench, subject: Running, scenario: Scenario) -> Result:
    """Measure once; the result has how much of its core the generator has used.

    Raises:
        Missing: There is no result.
    """
    assert bench.generator is not None
    flags = list(scenario.flags)
    if scenario.command == "first":
        flags.append(f"-direct=127.0.0.1:{bench.provider.port}")
    elif scenario.command == "bulk":
        flags.append(f"-model=bulk-{_blocks(subject.name)}")
    began, provider = time.monotonic(), bench.provider.cpu()
    result = bench.generator.measure(scenario.command, subject, *flags)
    share = (bench.provider.cpu() - provider) / (time.monotonic() - began)
    if scenario.command == "paced":
        share += result["client_cpu_us_per_block"] * result["blocks_per_second"] / 1e6
        result["generator_share"] = share
    return result


def _blocks(subject: str) -> int:
    if subject in _SLOW:
        return 100
    return 1000 if QUICK else 4000
