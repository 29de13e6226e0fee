"""The Lua scripts of the Redis store: each is one atomic step, ``APPEND_ALL`` on many streams.

``KEYS`` are those of ``server.keys`` for one stream: about, log. The first item of a response is
the outcome: ``ok``, or ``missing``, ``taken``, ``fenced``, ``rewound`` as the exceptions
of the contract.

Redis may evict either key and keep the other, so each script begins with what both know: the id
of the last entry, and the end. The log without ``about`` still has its end; ``about`` without
the log knows that entries are missing (``lacks``).
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
    return _plain(_COMMON + body)


def _plain(text: str) -> Script:
    return Script(text, sha1(text.encode(), usedforsecurity=False).hexdigest())


_COMMON = """
local function last_entry()
  local found = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
  if not found then return nil end
  local entry = {id = found[1]}
  for i = 1, #found[2], 2 do entry[found[2][i]] = found[2][i + 1] end
  return entry
end
local function state()
  local known = redis.call('HMGET', KEYS[1], 'producer', 'last', 'over', 'end')
  local s = {producer = known[1], last = known[2], over = known[3], ended = known[4]}
  if not s.last then
    local entry = last_entry()
    s.last = entry and entry.id or '0-0'
    if entry and entry['end'] then s.over, s.ended = entry.id, entry.batch end
  elseif redis.call('EXISTS', KEYS[2]) == 0 then
    s.last, s.lacks = '0-0', true
  end
  return s
end
local function fenced(s) return {'fenced', s.over, s.ended} end
local function parts(id)
  local epoch, seq = string.match(id, '^(%d+)-(%d+)$')
  return tonumber(epoch), tonumber(seq)
end
local function later(one, other)
  local e1, s1 = parts(one)
  local e2, s2 = parts(other)
  return e1 > e2 or (e1 == e2 and s1 > s2)
end
local function keep(ms)
  redis.call('PEXPIRE', KEYS[1], ms)
  redis.call('PEXPIRE', KEYS[2], ms)
end
"""

CREATE = _script("""
local meta, token, ms = ARGV[1], ARGV[2], ARGV[3]
local known = redis.call('HMGET', KEYS[1], 'meta', 'producer')
if known[2] then
  if known[1] == meta and known[2] == token then return {'ok'} end
  return {'taken'}
end
local s = state()
redis.call('HSET', KEYS[1], 'meta', meta, 'producer', token, 'pulse', 0)
if s.over then redis.call('HSET', KEYS[1], 'last', s.last, 'over', s.over, 'end', s.ended) end
keep(ms)
return {'ok'}
""")

ADOPT = _script("""
local token = ARGV[1]
local s = state()
if not s.producer then return {'missing'} end
if s.over then return fenced(s) end
if s.producer ~= '' and s.producer ~= token then return {'taken'} end
redis.call('HSET', KEYS[1], 'producer', token)
redis.call('HINCRBY', KEYS[1], 'pulse', 1)
return {'ok'}
""")

APPEND = _script("""
local id, after, token, batch = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local is_end, ms, floor, first = ARGV[5], ARGV[6], ARGV[7], tonumber(ARGV[8])
local s = state()
if not s.producer then return {'missing'} end
if s.producer ~= token then return {'taken'} end
if s.over and s.lacks and parts(s.over) == parts(id) then
  -- The producer's own end, whose entries are gone: it writes them again.
  redis.call('HDEL', KEYS[1], 'over', 'end')
  s.over = nil
end
if s.over then
  if s.over == id and is_end ~= '' then return {'ok'} end
  return fenced(s)
end
if s.last == id then return {'ok'} end
if s.last ~= after then return {'rewound', s.last} end
local epoch, seq = parts(s.last)
if s.last ~= '0-0' and (epoch ~= parts(id) or seq + 1 ~= first) then return {'rewound', s.last} end
local fields = {'batch', batch}
if is_end ~= '' then fields[3], fields[4] = 'end', '1' end
redis.call('XADD', KEYS[2], id, unpack(fields))
redis.call('HSET', KEYS[1], 'last', id)
redis.call('HINCRBY', KEYS[1], 'pulse', 1)
if is_end ~= '' then redis.call('HSET', KEYS[1], 'over', id, 'end', batch) end
if floor ~= '' then redis.call('XTRIM', KEYS[2], 'MINID', floor) end
keep(ms)
return {'ok'}
""")

APPEND_ALL = _plain("""
-- A batch of each of many streams, where all is as its producer expects: its log is there, is its
-- own, ends where it continues and has no end. The response has a 1 for each that was written, or
-- a 2 where another process watches the stream: ``about`` has then more than its own four fields.
-- For a 0 nothing was changed; APPEND has the reason. Nothing is raised: it would stop the others.
local call = redis.pcall
local outcomes = {}
for i = 1, #KEYS / 2 do
  local about, log, at = KEYS[2 * i - 1], KEYS[2 * i], 5 * (i - 1)
  local id, after, token = ARGV[at + 1], ARGV[at + 2], ARGV[at + 3]
  local batch, floor = ARGV[at + 4], ARGV[at + 5]
  local known = call('HMGET', about, 'producer', 'last', 'over', 'pulse')
  local added
  if known[1] == token and known[2] == after and not known[3] then
    added = call('XADD', log, 'NOMKSTREAM', id, 'batch', batch)
  end
  if type(added) == 'string' then
    call('HSET', about, 'last', id, 'pulse', (tonumber(known[4]) or 0) + 1)
    if floor ~= '' then call('XTRIM', log, 'MINID', floor) end
    outcomes[i] = call('HLEN', about) > 4 and '2' or '1'
  else
    outcomes[i] = '0'
  end
end
return table.concat(outcomes)
""")

LOOK = _script("""
local ms, after, token = ARGV[1], ARGV[2], ARGV[3]
local s = state()
if not s.producer then return {'missing'} end
if s.over and not (s.lacks and s.over == after) then return fenced(s) end
if s.producer ~= token then return {'taken'} end
if s.last ~= after then return {'rewound', s.last} end
if ms ~= '' then
  redis.call('HINCRBY', KEYS[1], 'pulse', 1)
  for i = 4, #ARGV do redis.call('HDEL', KEYS[1], 'viewer ' .. ARGV[i]) end
  keep(ms)
end
local known, marks = redis.call('HGETALL', KEYS[1]), {}
for i = 1, #known, 2 do
  if string.sub(known[i], 1, 7) == 'viewer ' then
    marks[#marks + 1] = string.sub(known[i], 8)
    marks[#marks + 1] = known[i + 1]
  end
end
return {'ok', marks}
""")

CLOSE = _script("""
local batch, after, ms = ARGV[1], ARGV[2], ARGV[3]
local s = state()
if s.over then return fenced(s) end
if not s.producer and s.last == '0-0' then return {'missing'} end
if after ~= '' and later(s.last, after) then return {'taken'} end
local id = string.format('%d-0', math.max(1, (parts(s.last))) + 1)
redis.call('XADD', KEYS[2], id, 'batch', batch, 'end', '1')
if s.producer then redis.call('HSET', KEYS[1], 'last', id, 'over', id, 'end', batch) end
keep(ms)
return {'ok', id}
""")

SET = _script("""
-- A field of a log that is there: never one that would make an ``about`` of its own.
if redis.call('EXISTS', KEYS[1]) == 0 then return {'missing'} end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
return {'ok'}
""")

WATCH = _script("""
local viewer, mark, most = 'viewer ' .. ARGV[1], ARGV[2], tonumber(ARGV[3])
-- Never a field that would make an ``about`` of its own.
if redis.call('EXISTS', KEYS[1]) == 0 then return {'missing'} end
if redis.call('HEXISTS', KEYS[1], viewer) == 0 then
  local s = state()
  if s.over then return fenced(s) end
  local viewers = 0
  for _, name in ipairs(redis.call('HKEYS', KEYS[1])) do
    if string.sub(name, 1, 7) == 'viewer ' then viewers = viewers + 1 end
  end
  if viewers >= most then return {'too_many_viewers'} end
end
redis.call('HSET', KEYS[1], viewer, mark)
return {'ok'}
""")

CLAIM = _script("""
local binding, before, ms = ARGV[1], ARGV[2], ARGV[3]
local found = redis.call('GET', KEYS[1])
if found and found ~= before and found ~= binding then return found end
redis.call('SET', KEYS[1], binding, 'PX', ms)
return false
""")
