"""The worker: runs a stream that a request has handed over, in an invocation of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from ..dialects.protocol import ChatRequest, as_event
from ..errors import ProxyError, TokenwireError
from ..stores.records import End, EndReason
from ..streams.policy import OnDisconnect
from ..streams.stream import Stream
from ..telemetry import Recorder, RequestLog, function_of, seconds_left
from .handover import Job
from .observation import Observation, record_of
from .prepare import prepare
from .services import Services

_TYPE = "tokenwire.worker"


class Worker:
    """Takes the events that ``handover`` sends; for ``lambda_asgi.Handler(on_event=…)``.

    Lambda delivers an event at least once, and perhaps late. Whoever adopts the log runs the
    stream; everybody else, and whoever comes after its viewers have given up, does nothing.

    Args:
        services: The app's parts.
        recorder: Takes down each invocation as one request.
    """

    def __init__(self, services: Services, recorder: Recorder) -> None:
        self._services = services
        self._recorder = recorder

    def takes(self, event: Mapping[str, Any]) -> bool:
        """Whether this is an event of ours."""
        return event.get("type") == _TYPE

    async def __call__(self, event: Mapping[str, Any], context: object) -> dict[str, str]:
        """Run the stream to its end.

        Args:
            event: A ``Job``.
            context: The invocation's.

        Returns:
            The stream's id, and its end's reason; ``taken`` if there was nothing to do.

        Raises:
            ProxyError: The event is not a job (``unsupported_event``), or the store fails.
        """
        job = _job(event)
        scope = {"aws.context": context}
        request_id = str(getattr(context, "aws_request_id", ""))
        log = RequestLog(request_id, "EVENT", route=job.type, dialect=job.dialect)
        seen = Observation(log, seconds_left(scope))
        try:
            reason = await self._run(job, seen)
        finally:
            log.instants.end = seen.elapsed()
            log.function = function_of(scope)
            self._recorder.record(log)
        return {"stream": job.stream, "end_reason": reason}

    async def _run(self, job: Job, seen: Observation) -> str:
        hub = self._services.hub
        writer = await hub.adopt(job.stream)
        if writer is None:
            return "taken"
        request = ChatRequest(
            job.model, stream=True, body=job.body, dialect=job.dialect, headers=job.headers
        )
        try:
            prepared = prepare(self._services, job.owner, request, job.stream)
        except TokenwireError as error:
            await hub.close_reserved(job.stream, End(EndReason.ERROR, as_event(error)))
            seen.log.error_code = error.code
            return EndReason.ERROR
        seen.begins(prepared.meta)
        policy = OnDisconnect(job.grace)
        stream = await hub.start(
            prepared.meta, prepared.source, policy, seen.seconds_left, prepared.attempts, writer
        )
        return await self._to_the_end(stream, seen)

    async def _to_the_end(self, stream: Stream, seen: Observation) -> str:
        if stream.task is not None:
            await asyncio.wait([stream.task])
        await self._services.hub.settled(stream)
        seen.log.stream = record_of(stream)
        return stream.end.reason if stream.end else ""


def _job(event: Mapping[str, Any]) -> Job:
    try:
        return msgspec.convert(event, Job)
    except msgspec.ValidationError:
        raise ProxyError(
            "The worker's event is not one that this version sends.", code="unsupported_event"
        ) from None
