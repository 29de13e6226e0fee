"""Invoke this Lambda function asynchronously: a stream gets an environment of its own."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from ..errors import ProxyError

if TYPE_CHECKING:
    from mypy_boto3_lambda import LambdaClient

MOST = 1_000_000
"""Maximum size of the event of an asynchronous invocation, in bytes."""


class LambdaInvoker:
    """Sends events to a Lambda function. Blocking work is done in threads."""

    def __init__(self) -> None:
        self._client: LambdaClient | None = None

    async def invoke(self, function: str, event: bytes) -> None:
        """Send the function an event, to be processed soon by an invocation of its own.

        Args:
            function: Its name or ARN.
            event: JSON.

        Raises:
            ProxyError: The event is too large (413, ``request_too_large``), or Lambda does not
                accept it (``worker_unavailable``).
        """
        if len(event) > MOST:
            raise ProxyError(
                "The request is too large for a stream that outlives its connection.",
                code="request_too_large",
                status=413,
            )
        await asyncio.to_thread(self._invoke, function, event)

    def _invoke(self, function: str, event: bytes) -> None:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            client = self._connected()
            client.invoke(FunctionName=function, InvocationType="Event", Payload=event)
        except (BotoCoreError, ClientError) as error:
            code = getattr(error, "response", {}).get("Error", {}).get("Code")
            raise ProxyError(
                f"Lambda did not accept the stream ({code or type(error).__name__}). Check that "
                "the function's role allows lambda:InvokeFunction on the function itself.",
                code="worker_unavailable",
                status=503,
                retryable=True,
            ) from None

    def _connected(self) -> LambdaClient:
        if self._client is None:
            import boto3
            from botocore import UNSIGNED
            from botocore.config import Config

            session = boto3.Session()
            # The local function URL needs no signature, and a laptop may have no keys.
            unsigned = {} if session.get_credentials() else {"signature_version": UNSIGNED}
            config = Config(connect_timeout=2, read_timeout=5, **unsigned)
            self._client = session.client("lambda", config=config)
        return self._client
