"""The DynamoDB store's entry in the registry."""

from __future__ import annotations

from ..kind import StoreKind, StoreOptions
from .store import DynamoDBStore


def _create(url: str, options: StoreOptions) -> DynamoDBStore:
    return DynamoDBStore(url.partition("://")[2], options.keep, options.timeout)


DYNAMODB = StoreKind(
    name="dynamodb",
    schemes=("dynamodb",),
    form="dynamodb://TABLE",
    pattern=r"[A-Za-z0-9_.-]{3,255}",
    create=_create,
    description="in dynamodb",
)
