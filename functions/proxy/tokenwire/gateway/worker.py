"""The worker: runs, in an invocation of its own, a stream that a request has handed over."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import msgspec

from ..auth.callers import Caller
from ..dialects.protocol import ParsedRequest, as_event
from ..errors import ProxyError, TokenwireError
from ..stores.records import End, EndReason
from ..streams.policy import OnDisconnect
from ..streams.stream import Stream
from ..telemetry import Recorder, RequestLog, function_of
from .context import RequestContext
from .handover import TYPE, Job
from .memory import RequestMemory
from .prepare import prepare
from .recording import RequestSummary, stream_record
from .services import Services
from .tracing import traced


class Worker:
    """Handles the events that ``handover`` sends; for ``lambda_asgi.Handler(on_event=…)``.

    Lambda delivers an event at least once, and perhaps late. The first invocation adopts the log
    and runs the stream. Further ones do nothing; nor does one whose stream has ended meanwhile.

    Args:
        services: The app's services.
        recorder: Writes one log line for each invocation.
    """

    def __init__(self, services: Services, recorder: Recorder) -> None:
        self._services = services
        self._recorder = recorder

    def takes(self, event: Mapping[str, Any]) -> bool:
        """Whether this is a worker's event."""
        return event.get("type") == TYPE

    async def __call__(self, event: Mapping[str, Any], context: object) -> dict[str, str]:
        """Run the stream to its end.

        Args:
            event: A ``Job``.
            context: The invocation's.

        Returns:
            The stream's id, and why it ended; ``taken`` if there was nothing to do.

        Raises:
            ProxyError: The event is not a job (``unsupported_event``), or the store fails.
        """
        job = _job(event)
        scope = {"aws.context": context}
        request_id = str(getattr(context, "aws_request_id", ""))
        headers = [(name.encode(), value.encode()) for name, value in job.trace.items()]
        trace = self._recorder.begin("EVENT", headers)
        log = RequestLog(request_id, "EVENT", route=TYPE, dialect=job.dialect, trace=trace)
        summary = RequestSummary(log)
        memory = RequestMemory(self._services.hub.account(job.owner))
        try:
            reason = await self._run(
                job, RequestContext.of(scope, Caller(job.owner), memory, trace=trace), summary
            )
        finally:
            log.instants.end = summary.elapsed()
            log.function = function_of(scope)
            self._recorder.record(log)
            await self._recorder.flush()
        return {"stream": job.stream, "end_reason": reason}

    async def _run(self, job: Job, context: RequestContext, summary: RequestSummary) -> str:
        hub = self._services.hub
        writer = await hub.adopt(job.stream)
        if writer is None:
            return "taken"
        try:
            prepared = prepare(self._services, job.owner, _request(job), job.stream)
        except TokenwireError as error:
            await hub.close_reserved(job.stream, End(EndReason.ERROR, as_event(error)))
            summary.log.error_code = error.code
            return EndReason.ERROR
        summary.stream_started(prepared.meta)
        policy = OnDisconnect(job.grace)
        source = traced(prepared.source, context.trace, prepared.meta)
        stream = await hub.start(
            prepared.meta, source, policy, context.seconds_left, prepared.attempts, writer
        )
        return await self._finished(stream, summary)

    async def _finished(self, stream: Stream, summary: RequestSummary) -> str:
        if stream.task is not None:
            await asyncio.wait([stream.task])
        await self._services.hub.settled(stream)
        summary.log.stream = stream_record(stream)
        return stream.end.reason if stream.end else ""


def _request(job: Job) -> ParsedRequest:
    return ParsedRequest(
        job.model, stream=True, body=job.body, dialect=job.dialect, headers=job.headers
    )


def _job(event: Mapping[str, Any]) -> Job:
    try:
        return msgspec.convert(event, Job)
    except msgspec.ValidationError:
        raise ProxyError(
            "The worker's event is not of a kind that this version sends.",
            code="unsupported_event",
        ) from None
