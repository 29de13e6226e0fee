"""What a stream costs in DynamoDB: request units, as the table is billed for them.

Sizes are counted as the developer guide says: names and values of every attribute, writes by the
started KB, reads by the started 4 KB, half of it where they may be stale.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

WRITE_PRICE, READ_PRICE = 0.625e-6, 0.125e-6
"""US dollars a unit, on demand, in us-east-1 (list price of November 2026)."""


def size_of(value: Any) -> int:
    """Bytes of one attribute value, in DynamoDB's JSON."""
    ((kind, said),) = value.items()
    match kind:
        case "B":
            return len(said) * 3 // 4 if isinstance(said, str) else len(said)
        case "S":
            return len(said.encode())
        case "N":
            return len(said) // 2 + 2
        case "M":
            return 3 + sum(len(name) + size_of(inner) + 1 for name, inner in said.items())
        case _:
            return 1


def item_size(item: dict[str, Any]) -> int:
    """Bytes of an item."""
    return sum(len(name) + size_of(value) for name, value in item.items())


@dataclass(slots=True)
class Meter:
    """Counts what a boto3 client of DynamoDB asks for.

    ``told`` is what the server itself says that it has consumed; moto says nothing of use.
    """

    written: float = 0.0
    read: float = 0.0
    told: Counter[str] = field(default_factory=Counter)
    asked: Counter[str] = field(default_factory=Counter)

    def watch(self, client: Any) -> None:
        """Count from now on."""
        events = client.meta.events
        events.register("provide-client-params.dynamodb.*", self._ask)
        events.register("before-call.dynamodb.*", self._asked)
        events.register("after-call.dynamodb.*", self._answered)

    @property
    def dollars(self) -> float:
        """The price of what was counted."""
        return self.written * WRITE_PRICE + self.read * READ_PRICE

    def _ask(self, params: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {**params, "ReturnConsumedCapacity": "TOTAL"}

    def _asked(self, model: Any, params: dict[str, Any], **_: Any) -> None:
        self.asked[model.name] += 1
        said = json.loads(params["body"])
        if model.name == "PutItem":
            self.written += math.ceil(item_size(said["Item"]) / 1024)
        elif model.name == "UpdateItem":
            self.written += 1  # of an item that is far below a KB
        elif model.name == "GetItem":
            self.read += 1
        elif model.name == "BatchGetItem":
            self.read += 2

    def _answered(self, model: Any, parsed: dict[str, Any], **_: Any) -> None:
        if model.name == "Query":
            size = sum(map(item_size, parsed.get("Items", ())))
            self.read += max(1, math.ceil(size / 4096)) / 2
        consumed = parsed.get("ConsumedCapacity") or ()
        for one in consumed if isinstance(consumed, list) else [consumed] if consumed else ():
            writes = model.name in ("PutItem", "UpdateItem")
            self.told["write" if writes else "read"] += one["CapacityUnits"]
