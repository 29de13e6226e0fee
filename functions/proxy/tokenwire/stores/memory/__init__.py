"""Logs in the memory of one process.

The store of the default setting, ``memory://``. It keeps the contract of ``stores.contract`` as
Redis and DynamoDB do, and nothing in it outlives the process. By default it is not shared: a
process then reads its streams where it writes them, and no block is stored a second time.
"""

from .names import StreamNames
from .store import MemoryStore

__all__ = ["MemoryStore", "StreamNames"]
