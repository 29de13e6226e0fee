"""The DynamoDB store's entry in the registry."""

from __future__ import annotations

from ..contract import Store
from ..kind import StoreKind, StoreOptions


def _create(url: str, options: StoreOptions) -> Store:
    from .store import DynamoDBStore  # only where it is used: a start has no time for the others

    return DynamoDBStore(url.partition("://")[2], options.keep, options.timeout)


DYNAMODB = StoreKind(
    name="dynamodb",
    schemes=("dynamodb",),
    form="dynamodb://TABLE",
    pattern=r"[A-Za-z0-9_.-]{3,255}",
    create=_create,
    description="in dynamodb",
    needs_aws=True,
)
