"""Whether each provider can be used: its list of models is requested once, in the background."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from ..errors import TokenwireError
from ..providers.protocol import Probed, Provider, Reply

REPEAT = 60.0
"""Seconds after which a provider that could not be used is checked again, if a request needs the
result."""
_LONGEST = 10.0
"""Seconds that one provider may take."""
_UNREACHABLE = {"timeout_connect", "upstream_disconnected", "upstream_unreachable"}
_NO_KEY = {"secret_unavailable", "bad_setting"}
_log = logging.getLogger("tokenwire.providers")


class Status(StrEnum):
    """Whether a provider can be used."""

    OK = "ok"
    REFUSED = "refused"
    NO_KEY = "no_key"
    UNREACHABLE = "unreachable"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Check:
    """What is known of a provider.

    Args:
        status: Whether it can be used.
        detail: The same as a text; never text of the provider.
        models: The names of its models, without our prefix.
        date: The provider's clock, as in the field ``Date``; empty if it is not known.
    """

    status: Status
    detail: str
    models: tuple[str, ...] = ()
    date: str = ""

    def summary(self) -> dict[str, str | int]:
        """Return it as JSON, for ``/readyz`` and ``/v1/models``."""
        return {"status": self.status, "detail": self.detail, "models": len(self.models)}


NOT_CHECKED = Check(Status.UNKNOWN, "not checked yet")


class Checks:
    """The checks of the providers that are on.

    Args:
        providers: By name.
        absent: Why providers have no key, by name. These are not called.
        clock: Monotonic time in seconds.
    """

    def __init__(
        self,
        providers: Mapping[str, Provider],
        absent: Mapping[str, str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._providers = providers
        self._absent = absent
        self._clock = clock
        self._has_results = False
        self._at = 0.0
        self._found = dict.fromkeys(providers, NOT_CHECKED)
        self._running: asyncio.Task[None] | None = None

    @property
    def latest(self) -> Mapping[str, Check]:
        """What is known now, by the provider's name. Starts no request."""
        return self._found

    def start(self) -> asyncio.Task[None]:
        """Check every provider, unless that is already being done."""
        if self._running is None or self._running.done():
            self._running = asyncio.create_task(self._run())
        return self._running

    def start_if_due(self) -> None:
        """Check again if a provider could not be used the last time, ``REPEAT`` ago or longer."""
        failed = any(check.status is not Status.OK for check in self._found.values())
        if self._has_results and failed and self._clock() - self._at >= REPEAT:
            self.start()

    async def results(self) -> Mapping[str, Check]:
        """Return what is known, after each provider has been called once.

        A caller that leaves does not stop the requests: others wait for them too.
        """
        self.start_if_due()
        if not self._has_results or (self._running and not self._running.done()):
            await asyncio.shield(self.start())
        return self._found

    async def aclose(self) -> None:
        """Stop checking."""
        if self._running is not None:
            self._running.cancel()
            with suppress(asyncio.CancelledError):
                await self._running

    async def _run(self) -> None:
        await asyncio.gather(*(self._check(name) for name in self._providers))
        self._has_results, self._at = True, self._clock()

    async def _check(self, name: str) -> None:
        if name in self._absent:
            check = Check(Status.NO_KEY, self._absent[name])
        else:
            check = await checked(self._providers[name])
        if check != self._found[name]:
            _log.info("provider", extra={"provider": name, **check.summary()})
        self._found[name] = check


async def checked(provider: Provider) -> Check:
    """Request the models of a provider, once."""
    try:
        async with asyncio.timeout(_LONGEST):
            if isinstance(provider, Probed):
                return _check_of(await provider.probe())
            return _check_of(Reply(200, tuple(await provider.models())))
    except TokenwireError as error:
        return _failed(error)
    except TimeoutError:
        return Check(Status.UNREACHABLE, f"no answer within {_LONGEST:g} seconds")
    except Exception as error:
        # Of a plugin, or of a key with characters that HTTP cannot send. Its text may quote them.
        return Check(Status.FAILED, f"it cannot be checked ({type(error).__name__})")


def _check_of(reply: Reply) -> Check:
    if reply.status in (401, 403):
        return Check(Status.REFUSED, f"key refused ({reply.status})", date=reply.date)
    if reply.status in (404, 405):
        detail = f"answers, without a list of models ({reply.status})"
        return Check(Status.OK, detail, date=reply.date)
    if reply.status != 200:
        return Check(Status.FAILED, f"answered with status {reply.status}", date=reply.date)
    return Check(Status.OK, _counted(len(reply.models)), reply.models, reply.date)


def _counted(models: int) -> str:
    if not models:
        return "answers, and lists no models"
    return f"{models} model" if models == 1 else f"{models} models"


def _failed(error: TokenwireError) -> Check:
    if error.code in _NO_KEY:
        return Check(Status.NO_KEY, error.message)
    if error.code in _UNREACHABLE:
        return Check(Status.UNREACHABLE, error.message)
    return Check(Status.FAILED, error.message)
