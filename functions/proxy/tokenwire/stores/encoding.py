"""Records as a store keeps them: MessagePack for batches, JSON for the rest."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import msgspec

from .contract import Batch, NameBinding
from .exceptions import StoreError
from .records import Meta

T = TypeVar("T")

_packer = msgspec.msgpack.Encoder()
_unpacker = msgspec.msgpack.Decoder(Batch)
_meta_decoder = msgspec.json.Decoder(Meta)
_binding_decoder = msgspec.json.Decoder(NameBinding)


def pack(batch: Batch) -> bytes:
    """Encode a batch as one MessagePack value."""
    return _packer.encode(batch)


def unpack(data: bytes) -> Batch:
    """Decode a batch.

    Raises:
        StoreError: The bytes are no batch.
    """
    return _decoded(_unpacker.decode, data, "a batch")


def pack_json(value: Meta | NameBinding) -> bytes:
    """Encode a meta record, or what a name stands for, as JSON."""
    return msgspec.json.encode(value)


def unpack_meta(data: bytes) -> Meta:
    """Decode a meta record.

    Raises:
        StoreError: The bytes are no meta record.
    """
    return _decoded(_meta_decoder.decode, data, "a stream")


def unpack_binding(data: bytes) -> NameBinding:
    """Decode what a name stands for.

    Raises:
        StoreError: The bytes are no such value.
    """
    return _decoded(_binding_decoder.decode, data, "a name")


def _decoded(decode: Callable[[bytes], T], data: bytes, what: str) -> T:
    try:
        return decode(data)
    except (msgspec.MsgspecError, TypeError, UnicodeDecodeError):
        raise StoreError(f"The store holds something that is not {what}.") from None
