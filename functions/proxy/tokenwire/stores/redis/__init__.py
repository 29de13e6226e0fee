"""Logs in Redis or Valkey: one stream (the data type) for each, and one hash beside it.

An entry is a batch, and its id is that of the batch's last record: ``epoch-seq`` is what Redis
calls an id too. Redis takes no entry whose id is not greater than the last one's. That is the
fence: a producer in epoch 1 cannot write after an end that stands at ``2-0``.

Every change is one Lua script over the keys of one stream, which share a hash tag, so that they
live in one slot of a cluster; where there is none, one script writes the blocks of many streams.
``scripts`` documents what happens if one of the two keys is lost.
Needs Redis 6.2 or Valkey 7.2, and a user with ``@stream``, ``@hash``, ``@string``,
``@keyspace`` and ``@scripting``.
"""
