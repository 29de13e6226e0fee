"""One table, by boto3: requests in threads, and failures as the exceptions of the contract."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from ..exceptions import StoreError
from .items import Item

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

T = TypeVar("T")

IS_FREE = "attribute_not_exists(pk)"
IS_THERE = "attribute_exists(pk)"

_PAUSE = 0.05
"""Seconds before a request is sent once more."""
_BUSY = {
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestTimeout",
    "ThrottlingException",
    "TransactionInProgressException",
}
"""Refusals whose only reason is that there are too many requests."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A write whose condition failed.

    Args:
        item: What is there; empty if nothing is.
    """

    item: Item


class Table:
    """A DynamoDB table. Each request may raise ``StoreError``.

    boto3 finds region, credentials and endpoint.

    Args:
        name: Its name.
        timeout: Seconds for a connection, and for an answer.
        connect: Makes the client, where that is not boto3's own.
    """

    def __init__(
        self, name: str, timeout: float, connect: Callable[[], DynamoDBClient] | None = None
    ) -> None:
        self.name = name
        self._make_client = connect or self._connect
        self._timeout = timeout
        self._client: DynamoDBClient | None = None
        # boto3 blocks. It is well maintained, and a request costs it less than a millisecond.
        self._threads = ThreadPoolExecutor(32, "dynamodb")

    def connected(self) -> DynamoDBClient:
        """The client; made by the first call, which imports boto3."""
        if self._client is None:
            self._client = self._make_client()
        return self._client

    def _connect(self) -> DynamoDBClient:
        import boto3
        from botocore.config import Config

        config = Config(
            connect_timeout=self._timeout,
            read_timeout=self._timeout,
            max_pool_connections=32,
            # ``_send`` tries again. boto3 would sleep before that, for as long as AWS asks.
            retries={"mode": "standard", "total_max_attempts": 1},
            tcp_keepalive=True,
        )
        client = boto3.client("dynamodb", config=config)
        client.meta.events.register("after-call.dynamodb", _check_complete)
        return client

    def close(self) -> None:
        """Close every connection."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        if self._client is not None:
            self._client.close()

    async def get(self, key: Item) -> Item | None:
        """One item, as it is now."""
        response = await self._send(
            lambda client: client.get_item(TableName=self.name, Key=key, ConsistentRead=True)
        )
        return response.get("Item")

    async def get_all(self, keys: list[Item]) -> list[Item]:
        """Those of some items that are there, as they are now."""
        wanted: Any = {self.name: {"Keys": keys, "ConsistentRead": True}}
        response = await self._send(lambda client: client.batch_get_item(RequestItems=wanted))
        if _part(response, "UnprocessedKeys"):
            raise StoreError("DynamoDB failed (UnprocessedKeys).")
        found: list[Item] = _part(response, "Responses").get(self.name, [])
        return found

    async def after(self, pk: Item, place: int, *, consistent: bool) -> list[Item]:
        """The items of a partition after a place, in order: those that fit into one answer."""
        response = await self._send(
            lambda client: client.query(
                TableName=self.name,
                KeyConditionExpression="pk = :pk AND sk > :after",
                ExpressionAttributeValues={":pk": pk, ":after": {"N": str(place)}},
                ConsistentRead=consistent,
            )
        )
        found: list[Item] = _part(response, "Items")
        return found

    async def places(self, pk: Item, first: int) -> list[Item]:
        """Return the items of a partition from a place on, without their batches."""
        found: list[Item] = []
        start: dict[str, Any] = {}
        while True:
            response = await self._send(partial(self._page_of_places, pk, first, start))
            found += _part(response, "Items")
            if "LastEvaluatedKey" not in response:
                return found
            start = {"ExclusiveStartKey": response["LastEvaluatedKey"]}

    def _page_of_places(
        self, pk: Item, first: int, start: dict[str, Any], client: DynamoDBClient
    ) -> Any:
        return client.query(
            TableName=self.name,
            KeyConditionExpression="pk = :pk AND sk >= :first",
            ExpressionAttributeValues={":pk": pk, ":first": {"N": str(first)}},
            ProjectionExpression="pk, sk, #by, #more, #end, upto, piece",
            ExpressionAttributeNames={"#by": "by", "#more": "more", "#end": "end"},
            ConsistentRead=True,
            **start,
        )

    async def last(self, pk: Item) -> Item | None:
        """The last item of a partition, as it is now."""
        response = await self._send(
            lambda client: client.query(
                TableName=self.name,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": pk},
                ScanIndexForward=False,
                ConsistentRead=True,
                Limit=1,
            )
        )
        return next(iter(_part(response, "Items")), None)

    async def put(
        self, item: Item, condition: str = "", values: Item | None = None
    ) -> Refused | None:
        """Put an item; return None, or the refusal if the condition fails."""
        request: dict[str, Any] = {"TableName": self.name, "Item": item}
        if condition:
            request |= _conditional(condition, values or {})
        return await self._send(lambda client: _unless_refused(partial(client.put_item, **request)))

    async def update(
        self, key: Item, change: str, values: Item, condition: str = IS_THERE, **names: str
    ) -> Refused | None:
        """Change an item; return None, or the refusal if the condition fails.

        Args:
            key: The item's.
            change: The update expression.
            values: Its values.
            condition: What must hold.
            names: Its names, without their ``#``.
        """
        request: dict[str, Any] = {"TableName": self.name, "Key": key, "UpdateExpression": change}
        request |= _conditional(condition, values)
        if names:
            request["ExpressionAttributeNames"] = {f"#{name}": n for name, n in names.items()}
        return await self._send(
            lambda client: _unless_refused(partial(client.update_item, **request))
        )

    async def _send(self, request: Callable[[DynamoDBClient], T]) -> T:
        """Carry out one request in a thread. One that fails on the way is sent once more.

        This is the boundary of boto3: whatever it raises (or its threads, once closed) ends here.

        Raises:
            StoreError: DynamoDB refuses it, or cannot be reached. The text has its code alone.
        """
        try:
            return await self._once(request)
        except Exception as error:
            if not _may_repeat(error):
                raise _as_ours(error) from None
        await asyncio.sleep(_PAUSE)
        try:
            return await self._once(request)
        except Exception as error:
            raise _as_ours(error) from None

    async def _once(self, request: Callable[[DynamoDBClient], T]) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, partial(self._carry_out, request))

    def _carry_out(self, request: Callable[[DynamoDBClient], T]) -> T:
        return request(self.connected())


def _check_complete(http_response: Any, **_: Any) -> None:
    """Refuse a truncated response: botocore takes a body that is no JSON for an empty one.

    No beginning of a JSON object is a JSON object.
    """
    try:
        msgspec.json.decode(http_response.content, type=msgspec.Raw)
    except msgspec.DecodeError:
        raise StoreError("DynamoDB failed (TruncatedAnswer).") from None


def _part(response: Any, name: str) -> Any:
    """Return a part that every response of this kind has.

    Raises:
        StoreError: This response has none.
    """
    try:
        return response[name]
    except KeyError:
        raise StoreError(f"DynamoDB failed (a response without {name}).") from None


def _may_repeat(error: Exception) -> bool:
    """Whether the same request may do better in a moment: the network failed, or the server."""
    status = _answer_of(error).get("ResponseMetadata", {}).get("HTTPStatusCode", 500)
    return status >= 500 or _code_of(error) in _BUSY


def _as_ours(error: Exception) -> StoreError:
    if isinstance(error, StoreError):
        return error
    return StoreError(f"DynamoDB failed ({_code_of(error) or type(error).__name__}).")


def _code_of(error: Exception) -> str:
    code: str = _answer_of(error).get("Error", {}).get("Code", "")
    return code


def _answer_of(error: Exception) -> dict[str, Any]:
    """DynamoDB's response, if the error is a ``ClientError``; else an empty one."""
    answer: Any = getattr(error, "response", None)
    return answer if isinstance(answer, dict) else {}


def _conditional(condition: str, values: Item) -> dict[str, Any]:
    given: dict[str, Any] = {"ExpressionAttributeValues": values} if values else {}
    return {
        **given,
        "ConditionExpression": condition,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
    }


def _unless_refused(request: Callable[[], object]) -> Refused | None:
    """Send a request. Return None, or the refusal if its condition failed."""
    from botocore.exceptions import ClientError

    try:
        request()
    except ClientError as error:
        response: Any = error.response
        if response.get("Error", {}).get("Code") != "ConditionalCheckFailedException":
            raise
        return Refused(response.get("Item", {}))
    return None
