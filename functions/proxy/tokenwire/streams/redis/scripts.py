"""The Lua scripts of the Redis store: each is one atomic step on the keys of one stream.

``KEYS`` are those that ``server.keys`` names: about, log, viewers. The first word of an answer
says how it went: ``ok``, or ``missing``, ``taken``, ``fenced`` as in ``store``.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha1


@dataclass(frozen=True, slots=True)
class Script:
    """A script, and the name that Redis has for it."""

    text: str
    sha: str


def _script(body: str) -> Script:
    text = _COMMON + body
    return Script(text, sha1(text.encode(), usedforsecurity=False).hexdigest())


_COMMON = """
local function last()
  local found = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
  if not found then return nil end
  local entry = {id = found[1]}
  for i = 1, #found[2], 2 do entry[found[2][i]] = found[2][i + 1] end
  return entry
end
local function fenced(entry) return {'fenced', entry.id, entry.batch} end
local function keep(ms)
  redis.call('PEXPIRE', KEYS[1], ms)
  redis.call('PEXPIRE', KEYS[2], ms)
end
"""

CREATE = _script("""
local meta, token, ms = ARGV[1], ARGV[2], ARGV[3]
if redis.call('EXISTS', KEYS[1]) == 1 then
  local known = redis.call('HMGET', KEYS[1], 'meta', 'producer')
  if known[1] == meta and known[2] == token then return {'ok'} end
  return {'taken'}
end
redis.call('HSET', KEYS[1], 'meta', meta, 'producer', token, 'pulse', 0)
keep(ms)
return {'ok'}
""")

ADOPT = _script("""
local token = ARGV[1]
local known = redis.call('HMGET', KEYS[1], 'producer', 'over')
local owner = known[1]
if not owner then return {'missing'} end
if known[2] then return fenced(last()) end
if owner ~= '' and owner ~= token then return {'taken'} end
redis.call('HSET', KEYS[1], 'producer', token)
redis.call('HINCRBY', KEYS[1], 'pulse', 1)
return {'ok'}
""")

APPEND = _script("""
local id, token, batch, is_end, ms, floor = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local known = redis.call('HMGET', KEYS[1], 'producer', 'over')
if not known[1] then return {'missing'} end
if known[1] ~= token then return {'taken'} end
if known[2] then
  if known[2] == id and is_end ~= '' then return {'ok'} end
  return fenced(last())
end
local fields = {'batch', batch}
if is_end ~= '' then fields[3], fields[4] = 'end', '1' end
local said = redis.pcall('XADD', KEYS[2], id, unpack(fields))
if type(said) == 'table' and said.err then
  -- The id is not greater than the last one's: sent twice. Or there is no memory.
  local entry = last()
  if entry and entry.id == id then return {'ok'} end
  return redis.error_reply(said.err)
end
if floor ~= '' then redis.call('XTRIM', KEYS[2], 'MINID', floor) end
redis.call('HINCRBY', KEYS[1], 'pulse', 1)
if is_end ~= '' then redis.call('HSET', KEYS[1], 'over', id) end
keep(ms)
return {'ok'}
""")

LOOK = _script("""
local ms = ARGV[1]
local known = redis.call('HMGET', KEYS[1], 'pulse', 'over')
if not known[1] then return {'missing'} end
if known[2] then return fenced(last()) end
if ms ~= '' then
  redis.call('HINCRBY', KEYS[1], 'pulse', 1)
  keep(ms)
end
return {'ok', redis.call('ZREVRANGE', KEYS[3], 0, 0, 'WITHSCORES')[2] or '0'}
""")

CLOSE = _script("""
local batch, after, ms = ARGV[1], ARGV[2], ARGV[3]
local known = redis.call('HMGET', KEYS[1], 'pulse', 'over')
if not known[1] then return {'missing'} end
local entry = last()
if known[2] then return fenced(entry) end
if after ~= '' and after ~= (entry and entry.id or '0-0') then return {'taken'} end
local epoch = entry and tonumber(string.match(entry.id, '^%d+')) or 1
local id = string.format('%d-0', epoch + 1)
redis.call('XADD', KEYS[2], id, 'batch', batch, 'end', '1')
redis.call('HSET', KEYS[1], 'over', id)
keep(ms)
return {'ok', id}
""")

CLAIM = _script("""
local meant, before, ms = ARGV[1], ARGV[2], ARGV[3]
local found = redis.call('GET', KEYS[1])
if found and found ~= before and found ~= meant then return found end
redis.call('SET', KEYS[1], meant, 'PX', ms)
return false
""")
