"""Compose the rooms: the services of an app from its settings, and the layers around its routes."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.formatter import LambdaPowertoolsFormatter
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from . import __version__, provision
from .auth.callers import ANONYMOUS, Authenticator
from .auth.method import AuthDependencies
from .auth.tickets import Secret, Tickets
from .configuration import Configuration, references
from .gateway.catalog import Catalog
from .gateway.checks import Checks
from .gateway.invoker import LambdaInvoker
from .gateway.recording import stream_record, stream_times
from .gateway.services import Invoker, Services
from .gateway.worker import Worker
from .http.middleware import Logged
from .http.plain import PlainRoutes
from .http.requests import POLICY_HEADER
from .http.routes.plain import own_routes
from .references import check_secret, is_reference, listed
from .registries import Registries
from .secrets import Secrets
from .settings import Settings, options
from .stores.contract import Store
from .stores.shared_secret import SharedSecret
from .streams.blocks import Bounds
from .streams.deadline import Timeouts
from .streams.hub import Hub
from .streams.limits import Durability, Limits
from .streams.stream import Stream
from .telemetry import Emf, Metrics, Numbers, ProcessNumbers, Recorder, Tracing, otel
from .telemetry.lines import JsonFormatter


@dataclass(frozen=True, slots=True)
class Composition:
    """All parts of an app except its routes.

    Args:
        services: What the use cases need.
        secrets: Where references are looked up.
        store: Where streams are kept.
        recorder: Writes one log line for each request.
        worker: Runs streams that a request has handed over to another invocation.
    """

    services: Services
    secrets: Secrets
    store: Store
    recorder: Recorder
    worker: Worker

    def layers(self) -> list[Middleware]:
        """Return the middleware, the outermost first."""
        services = self.services
        return [
            # Outermost: a preflight is logged too.
            Middleware(Logged, recorder=self.recorder, dialects=services.dialects),
            Middleware(
                CORSMiddleware,
                allow_origins=services.settings.cors_origins,
                allow_methods=["GET", "POST"],
                allow_headers=["*", "Authorization", "Last-Event-ID", POLICY_HEADER],
                expose_headers=[
                    "X-Stream-Id",
                    "X-Request-Id",
                    "X-Model",
                    "X-Tokenwire-Lease",
                    "Retry-After",
                ],
            ),
            Middleware(PlainRoutes, plains=own_routes(services.dialects), services=services),
        ]

    @asynccontextmanager
    async def lifespan(self, app: object) -> AsyncIterator[None]:
        """Prepare the services; close them when the app stops."""
        services = self.services
        if services.tracing is not None:
            services.tracing.start()
        # On Lambda this is the init phase, which has a full CPU.
        await asyncio.gather(
            services.catalog.prepare(), self.secrets.prepare(), self.store.prepare()
        )
        current = asyncio.create_task(services.metrics.keep_current(), name="metrics")
        if services.settings.check_providers:
            services.checks.start()
        yield
        current.cancel()
        await services.checks.aclose()
        await services.hub.aclose()
        await services.catalog.aclose()
        await self.store.aclose()
        if services.tracing is not None:
            await asyncio.to_thread(services.tracing.close)


def compose(
    settings: Settings | None = None,
    secrets: Secrets | None = None,
    logger: Logger | None = None,
    *,
    durable: Store | None = None,
    invoker: Invoker | None = None,
    registries: Registries | None = None,
    numbers: Numbers | None = None,
    color: bool = False,
) -> Composition:
    """Compose an app; the arguments and errors are those of ``create_app``.

    ``color`` is whether a terminal may be sent colours; of the process, if no settings are given.
    """
    if settings is None:
        found = Configuration.of_process()
        settings, registries, color = found.settings, found.registries, found.color
        secrets = secrets or found.secrets
    secrets = secrets or Secrets({}, references(settings), ttl=settings.secret_ttl)
    registries = registries or Registries.load()
    durable = durable or provision.store(settings, secrets.read, registries.stores)
    services = _services(
        settings,
        secrets,
        registries,
        durable,
        invoker or LambdaInvoker(),
        numbers or ProcessNumbers(),
    )
    emf = Emf(settings.emf_namespace) if settings.emf_namespace else None
    logger = logger or _logger(settings, color=color)
    recorder = Recorder(logger, services.metrics, emf, services.tracing)
    return Composition(services, secrets, durable, recorder, Worker(services, recorder))


def _logger(settings: Settings, *, color: bool) -> Logger:
    formatter: LambdaPowertoolsFormatter = JsonFormatter()
    if sys.stdout.isatty():
        from .telemetry.terminal import TerminalFormatter

        formatter = TerminalFormatter(color=color)
    logger = Logger(
        service="tokenwire", level=settings.log_level, location=None, logger_formatter=formatter
    )
    logger.addFilter(_without_task)
    return logger


def _without_task(record: logging.LogRecord) -> bool:
    # From Python 3.12 on asyncio's name for the task would be in every line.
    record.__dict__.pop("taskName", None)
    return True


def _services(
    settings: Settings,
    secrets: Secrets,
    registries: Registries,
    durable: Store,
    invoker: Invoker,
    numbers: Numbers,
) -> Services:
    def count(stream: Stream) -> None:
        record, times = stream_record(stream), stream_times(stream)
        metrics.ended(record, times.first_content, times.duration)
        if tracing is not None:
            tracing.stream_ended(record, times)

    durability = Durability(durable, settings.lease, settings.durability)
    hub = Hub(_limits(settings), on_end=count, durability=durability)
    metrics = Metrics(
        lambda: hub.open_streams,
        lambda: hub.open_viewers,
        lambda: hub.store_status == "degraded",
        numbers,
    )
    tracing = _tracing(settings, registries, hub) if settings.otel else None
    providers = provision.providers(settings, secrets, registries.providers)
    roles = provision.roles(settings, registries.providers)
    return Services(
        settings=settings,
        hub=hub,
        catalog=Catalog(
            providers,
            settings.models,
            settings.default_model or provision.stand_in_model(roles),
            provision.off(settings, registries.providers),
            provision.foreign(settings),
            [name for name, role in roles.items() if role.is_stand_in],
        ),
        checks=Checks(providers, provision.absent(settings, secrets)),
        roles=roles,
        authenticate=_authenticator(settings, secrets, registries),
        tickets=_tickets(settings, secrets, durable),
        metrics=metrics,
        tracing=tracing,
        invoker=invoker,
        dialects=registries.dialects,
        security_schemes=registries.auth[settings.auth].security_schemes,
    )


def _tracing(settings: Settings, registries: Registries, hub: Hub) -> Tracing:
    names = provision.otel_names(settings, registries.providers)
    return otel.create(__version__, names, lambda: hub.open_streams, lambda: hub.open_viewers)


def _authenticator(settings: Settings, secrets: Secrets, registries: Registries) -> Authenticator:
    async def keys() -> Iterable[str]:
        # One parameter may hold many keys.
        return [
            check_secret("TOKENWIRE_API_KEYS", key)
            for given in settings.api_keys
            for key in listed(await _resolve(secrets, given))
        ]

    method = registries.auth[settings.auth]
    return method.create(
        AuthDependencies(
            options=options(settings, method),
            keys=keys,
            key_count=len(settings.api_keys),
            origins=settings.cors_origins,
            secret=secrets.get,
        )
    )


def _tickets(settings: Settings, secrets: Secrets, durable: Store) -> Tickets:
    secret = _ticket_secret(settings, secrets, durable)
    others = secret.others if isinstance(secret, SharedSecret) else None
    return Tickets(secret, settings.ticket_ttl, others=others)


def _ticket_secret(settings: Settings, secrets: Secrets, durable: Store) -> Secret:
    given = settings.secret
    if not given:
        # The process that signs a ticket is seldom the one that verifies it.
        return SharedSecret(durable)

    async def secret() -> bytes:
        return check_secret("TOKENWIRE_SECRET", await _resolve(secrets, given)).encode()

    return secret


def _limits(settings: Settings) -> Limits:
    return Limits(
        bounds=Bounds(window=settings.window_bytes, retained=settings.max_stream_bytes),
        timeouts=Timeouts(
            settings.timeout_first_content, settings.timeout_idle, settings.timeout_total
        ),
        streams=settings.max_streams,
        bytes=settings.max_total_bytes,
        retention=settings.retention,
        owner_streams=settings.max_caller_streams,
        owner_bytes=settings.max_caller_bytes,
        unlimited=frozenset({ANONYMOUS.id}),
    )


async def _resolve(secrets: Secrets, key: str) -> str:
    return await secrets.get(key) if is_reference(key) else key
