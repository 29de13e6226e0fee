"""Batches as DynamoDB items, and back. Items have at most 400 KB; a batch may need several."""

from __future__ import annotations

import time
import zlib
from dataclasses import replace
from typing import Any, TypeAlias

from ..contract import Batch
from ..encoding import pack, unpack
from ..exceptions import StoreError

Item: TypeAlias = dict[str, Any]

_MOST = 350 * 1024
"""Bytes of a batch in one item, which leaves room for its other attributes."""
_LEVEL = 1
"""More effort than this costs more time than it saves money."""


def key(stream_id: str, place: int) -> Item:
    """The key of one place in a stream's log."""
    return {"pk": {"S": f"stream#{stream_id}"}, "sk": {"N": str(place)}}


def number(item: Item, name: str) -> int:
    """Return an integer attribute of an item.

    Raises:
        StoreError: There is none.
    """
    try:
        return int(item[name]["N"])
    except (KeyError, TypeError, ValueError):
        raise _something_else(name) from None


def text(item: Item, name: str) -> str:
    """Return a text attribute of an item.

    Raises:
        StoreError: There is none.
    """
    try:
        return str(item[name]["S"])
    except (KeyError, TypeError):
        raise _something_else(name) from None


def binary(item: Item, name: str) -> bytes:
    """Return a binary attribute of an item.

    Raises:
        StoreError: There is none.
    """
    try:
        return bytes(item[name]["B"])
    except (KeyError, TypeError):
        raise _something_else(name) from None


def _something_else(name: str) -> StoreError:
    return StoreError(f"DynamoDB holds an unexpected item (without {name}).")


def expires_in(seconds: float) -> Item:
    """Return the attribute with the time at which an item may be deleted."""
    return {"expires_at": {"N": str(int(time.time() + seconds))}}


def is_expired(item: Item) -> bool:
    """Whether it could have been deleted by now."""
    return number(item, "expires_at") < time.time()


def of_batch(at: Item, batch: Batch, token: str, expires: Item) -> list[Item]:
    """The items of a batch: one, as a rule.

    Args:
        at: The key of the first of them; the others take the places that follow.
        batch: What they hold.
        token: Their producer's token.
        expires: The attribute with the time at which they may be deleted.
    """
    place = number(at, "sk")
    found: list[Item] = []
    for part in _divided(batch):
        data = zlib.compress(pack(part), _LEVEL)
        pieces = [data[i : i + _MOST] for i in range(0, len(data), _MOST)]
        for index, piece in enumerate(pieces):
            item = {**at, "sk": {"N": str(place + len(found))}, "batch": {"B": piece}}
            item |= {"by": {"S": token}, **expires}
            # For readers that do not decode the batch.
            item |= {"upto": {"N": str(part.last.seq)}, "piece": {"N": str(index)}}
            if piece is not pieces[-1]:
                item["more"] = {"BOOL": True}
            if part.end is not None:
                item["end"] = {"BOOL": True}
            found.append(item)
    return found


def _divided(batch: Batch) -> list[Batch]:
    """The batch in parts that fit, as far as it can be divided.

    The end never shares an item with a piece of a block: it must be readable by itself.
    """
    size = sum(map(len, batch.blocks))
    if size < _MOST or len(zlib.compress(pack(batch), _LEVEL)) <= _MOST:
        return [batch]
    if batch.end is not None:
        rest = Batch(batch.epoch, batch.first + len(batch.blocks), [], batch.end)
        return [*_divided(replace(batch, end=None)), rest]
    if len(batch.blocks) == 1:
        return [batch]
    middle = len(batch.blocks) // 2
    head = replace(batch, blocks=batch.blocks[:middle])
    tail = Batch(batch.epoch, batch.first + middle, batch.blocks[middle:])
    return [*_divided(head), *_divided(tail)]


def complete(items: list[Item], upto: int) -> tuple[int, int]:
    """Return how far a producer's own items reach without a hole, in complete batches.

    Args:
        items: The items, in the order of their places, beginning with place 1.
        upto: How many of them are to be looked at.

    Returns:
        The last place, and the sequence number of the last record in it; 0 and 0 for none.
    """
    last = seq = 0
    for place, item in enumerate(items[:upto], 1):
        if number(item, "sk") != place:
            break
        if "more" not in item:
            last, seq = place, number(item, "upto")
    return last, seq


def place_of(item: Item) -> tuple[int, Batch | None]:
    """An item's place, and its batch; None for the meta record and for pieces of a batch."""
    place = number(item, "sk")
    if place == 0:
        return 0, None
    if "end" in item:
        return place, _batch(binary(item, "batch"))
    # Only the epoch is of interest, and a producer has but one.
    return place, None


class Reassembly:
    """What a reader has of a log's items, in the order of their places."""

    def __init__(self) -> None:
        self._held = b""
        self.place = 0
        self.epoch = 1
        self.over = False

    def take(self, item: Item) -> list[Batch]:
        """The batch that this item completes, if it is the next one.

        Raises:
            StoreError: It cannot be read.
        """
        if number(item, "sk") != self.place + 1:
            return []
        self.place += 1
        if "more" in item:
            self._held += binary(item, "batch")
            return []
        # An end that comes in the middle of a batch is another's: the rest will never come.
        data = binary(item, "batch") if "end" in item else self._held + binary(item, "batch")
        self._held = b""
        batch = _batch(data)
        self.epoch = batch.epoch
        self.over = batch.end is not None
        return [batch]


def _batch(data: bytes) -> Batch:
    try:
        return unpack(zlib.decompress(data))
    except zlib.error:
        raise StoreError("The store holds something that is not a batch.") from None
