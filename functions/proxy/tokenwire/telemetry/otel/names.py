"""All names that leave by OpenTelemetry, in one table.

Those with ``gen_ai.``, ``http.`` and ``error.`` are of the semantic conventions, where the GenAI
ones are still in development; a test compares them with the published registry. For what the
conventions do not have (resumed, watched and cancelled streams) there is ``tokenwire.``.
"""

from __future__ import annotations

# Attributes of spans and metrics.
OPERATION = "gen_ai.operation.name"
PROVIDER = "gen_ai.provider.name"
REQUEST_MODEL = "gen_ai.request.model"
REQUEST_STREAM = "gen_ai.request.stream"
RESPONSE_MODEL = "gen_ai.response.model"
FINISH_REASONS = "gen_ai.response.finish_reasons"
FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"
INPUT_TOKENS = "gen_ai.usage.input_tokens"
OUTPUT_TOKENS = "gen_ai.usage.output_tokens"
TOKEN_TYPE = "gen_ai.token.type"  # noqa: S105  (a name, not a secret)
ERROR_TYPE = "error.type"
METHOD = "http.request.method"
ROUTE = "http.route"
STATUS = "http.response.status_code"
REQUEST_ID = "tokenwire.request.id"
CALLER = "tokenwire.caller"
DIALECT = "tokenwire.dialect"
DELIVERED_BLOCKS = "tokenwire.delivered.blocks"
DELIVERED_BYTES = "tokenwire.delivered.bytes"
DISCONNECTED = "tokenwire.client.disconnected"
STREAM_ID = "tokenwire.stream.id"
END_REASON = "tokenwire.stream.end_reason"
BLOCKS = "tokenwire.stream.blocks"
VIEWERS = "tokenwire.stream.viewers"
RESUMED_FROM = "tokenwire.stream.resumed_from"

# Events of the span of a stream.
ATTEMPT = "tokenwire.stream.attempt"
WATCHED = "tokenwire.stream.watched"
RESUMED = "tokenwire.stream.resumed"
CANCELLED = "tokenwire.stream.cancelled"

# Metrics: name, unit, description.
TOKENS = ("gen_ai.client.token.usage", "{token}", "Tokens used.")
CLIENT_DURATION = (
    "gen_ai.client.operation.duration",
    "s",
    "From the request to the provider to the end of its stream.",
)
CLIENT_FIRST = (
    "gen_ai.client.operation.time_to_first_chunk",
    "s",
    "From the request to the provider to its first byte.",
)
CLIENT_PER_CHUNK = (
    "gen_ai.client.operation.time_per_output_chunk",
    "s",
    "Mean time between two blocks of a provider, after the first content.",
)
SERVER_DURATION = (
    "gen_ai.server.request.duration",
    "s",
    "From a client's request to the end of its response.",
)
SERVER_FIRST = (
    "gen_ai.server.time_to_first_token",
    "s",
    "From a client's request to the first content of the answer.",
)
SERVER_PER_TOKEN = (
    "gen_ai.server.time_per_output_token",
    "s",
    "Mean time of an output token after the first.",
)
ENDED_STREAMS = ("tokenwire.stream.ended", "{stream}", "Streams that ended, by their reason.")
RESUMED_STREAMS = ("tokenwire.stream.resumed", "{request}", "Requests that resumed a stream.")
OPEN_STREAMS = ("tokenwire.stream.open", "{stream}", "Streams that run now.")
OPEN_VIEWERS = ("tokenwire.stream.open_viewers", "{viewer}", "Clients that read a stream now.")
