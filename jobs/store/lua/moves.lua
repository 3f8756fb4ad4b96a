-- The words and moves that every script of the store shares: this text is put in front of each, and after it
-- `holding.lua`, `ends.lua` and `quotas.lua`.
-- KEYS[1] is the prefix with its hash tag, so that all keys live in one slot; ARGV[1] is JSON of named arguments.
-- `MOVES`, the table of legal moves, comes from jobs/states.py. The keys are listed in jobs/store/store.py.

local ASK = cjson.decode(ARGV[1])
local LIMITS = ASK.limits
local HOUR = 3600 * 1000
local dispatches, digests = {}, {}

local function clock()
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000)
end
local NOW = clock()

local function reply(status, more)
  local answer = more or {}
  answer.status, answer.dispatches, answer.digests = status, dispatches, digests
  return cjson.encode(answer)
end

local function key(...) return KEYS[1] .. ':' .. table.concat({...}, ':') end

-- A full server refuses a script whose first write needs memory, and lets one that has written go on. So what frees
-- memory, or ends what was taken on, writes first what needs none. False: it takes no writes at all.
local function write_when_full() return type(redis.pcall('DEL', key('nothing'))) == 'number' end

-- NOW is what the server's clock says, for people. That clock may be set back. STEADY is what it would say then had it
-- gone on, and whatever is waited for is kept and compared by it: or an hour set back would be an hour more of every
-- lease. `clock` holds what it said at the last sweep, and by how much it was ever set back.
local function steady()
  local at, back = unpack(redis.call('HMGET', key('clock'), 'at', 'back'))
  at, back = tonumber(at or NOW), tonumber(back or 0)
  if NOW >= at then return NOW + back end
  back = back + at - NOW
  if write_when_full() then redis.call('HSET', key('clock'), 'at', NOW, 'back', back) end
  return NOW + back
end
local STEADY = steady()

local function object(tenant, kind, id) return key('t', tenant, kind, id) end
local function spot(id, chunk) return id .. '/' .. chunk end
local function count(what) redis.call('HINCRBY', key('counters'), what, 1) end
local function tally(state, by) redis.call('HINCRBY', key('jobs'), state, by) end
local function exists(name) return redis.call('EXISTS', name) == 1 end

local function bump(name) -- what changes a job changes the audit that it belongs to
  redis.call('HINCRBY', name, 'version', 1)
  local owner = redis.call('HGET', name, 'owner')
  if owner then redis.call('HINCRBY', owner, 'version', 1) end
end

local function touch(name)
  redis.call('HSET', name, 'changed', NOW)
  bump(name)
end

local function hash(name)
  local flat, fields = redis.call('HGETALL', name), {}
  for i = 1, #flat, 2 do fields[flat[i]] = flat[i + 1] end
  return fields
end

-- Objects: listed in the order of their making, remembered under their idempotency key, forgotten after their end.

local function lapse_at(tenant, kind, id, when)
  redis.call('ZADD', key('expiries'), when, tenant .. ' ' .. kind .. ' ' .. id)
end

local function list(tenant, kind, id)
  redis.call('ZADD', key('t', tenant, 'list', kind), redis.call('INCR', key('sequence')), id)
  redis.call('ZREM', key('expiries'), tenant .. ' ' .. kind .. ' ' .. id) -- of the hold that came before it
end

local function remembered(tenant, kind) -- a key is of one call, so what it remembers is of one kind
  if not ASK.idempotency then return nil end
  local found = hash(key('t', tenant, 'idempotency', ASK.idempotency.key))
  if not found.id or not exists(object(tenant, kind, found.id)) then return nil end -- forgotten with its object
  return found.fingerprint == ASK.idempotency.fingerprint and 'replayed' or 'reused', found.id
end

local function remember(tenant, kind, id) -- as long as there is what it remembers, and no longer than a day
  if not ASK.idempotency then return end
  local name = key('t', tenant, 'idempotency', ASK.idempotency.key)
  redis.call('HSET', name, 'fingerprint', ASK.idempotency.fingerprint, 'id', id)
  redis.call('PEXPIRE', name, 24 * HOUR)
  redis.call('HSET', object(tenant, kind, id), 'once', ASK.idempotency.key)
end

local function lapse(tenant, kind, id)
  lapse_at(tenant, kind, id, STEADY + LIMITS.ttl_ms)
  for _, name in ipairs({object(tenant, kind, id), key('t', tenant, kind, id, 'chunks')}) do
    redis.call('PEXPIRE', name, LIMITS.ttl_ms + HOUR) -- where no reaper lives, Redis itself forgets
  end
end

-- Units of work: what is to be done on a subject (a model, a job or an audit), stage after stage, chunk by chunk.
-- Admitted within windows, woken by messages.

-- Chunks of which a message is under way stand in line, each tenant's in the order in which they were sent; tenants
-- take turns. Who comes anew has its turn after all that wait already, and before any of them has a second one.
local function line_up(unit, here)
  redis.call('ZADD', key('turns', unit.queue), 'NX', redis.call('INCR', key('sequence')), unit.tenant)
  redis.call('ZADD', key('t', unit.tenant, 'line', unit.queue), 'NX', redis.call('INCR', key('sequence')), here)
end

local function leave_line(unit, here)
  local line = key('t', unit.tenant, 'line', unit.queue)
  redis.call('ZREM', key('sent'), here)
  redis.call('ZREM', line, here)
  if not exists(line) then redis.call('ZREM', key('turns', unit.queue), unit.tenant) end
end

local function send(id, chunk)
  local unit = hash(key('unit', id))
  local earlier = redis.call('HINCRBY', key('unit', id, 'chunks'), 'sent:' .. chunk, 1) - 1
  local patience = 2 * LIMITS.lease_ms * 2 ^ math.min(earlier, 3) -- or a long queue would fill with doubles
  redis.call('ZADD', key('sent'), STEADY + patience, spot(id, chunk))
  line_up(unit, spot(id, chunk))
  table.insert(dispatches, {queue = unit.queue, job_id = id, chunk = chunk})
end

local function fill(id)
  local unit, out = key('unit', id), key('unit', id, 'out')
  local first, total = unpack(redis.call('HMGET', unit, 'next', 'total'))
  first, total = tonumber(first), tonumber(total)
  while first < total and redis.call('SCARD', out) < LIMITS.chunks_in_flight do
    redis.call('SADD', out, first)
    send(id, first)
    first = first + 1
  end
  redis.call('HSET', unit, 'next', first)
end

-- A window of its own keeps what makes models, and what asks endpoints, from holding up inspections of files. Of those
-- a tenant has fewer at a time than there are inspectors, so that another's finds one free.
local function window(unit) return unit.window or unit.subject end

local function admit(tenant, name)
  local waiting, active = key('t', tenant, 'waiting', name), key('t', tenant, 'active', name)
  local most = name == 'model' and LIMITS.inspections_in_flight or LIMITS.jobs_in_flight
  while redis.call('SCARD', active) < most do
    local id = redis.call('ZPOPMIN', waiting)[1]
    if not id then return end
    redis.call('SADD', active, id)
    fill(id)
  end
end

-- The first of the stages {work, total, queue}; those after it are kept for later. Each numbers its chunks from 0.
-- Without a queue of its own a stage stays in that of the one before.
local function enter(id, stages)
  local stage = table.remove(stages, 1)
  redis.call('HSET', key('unit', id), 'work', stage.work, 'total', stage.total, 'next', 0, 'done', 0)
  if stage.queue then redis.call('HSET', key('unit', id), 'queue', stage.queue) end
  if #stages > 0 then
    redis.call('HSET', key('unit', id), 'later', cjson.encode(stages))
  else
    redis.call('HDEL', key('unit', id), 'later')
  end
end

local function begin(tenant, id, subject, queue, stages)
  redis.call('HSET', key('unit', id), 'tenant', tenant, 'subject', subject, 'queue', queue)
  enter(id, stages)
  local name = window(hash(key('unit', id)))
  redis.call('ZADD', key('t', tenant, 'waiting', name), redis.call('INCR', key('sequence')), id)
  admit(tenant, name)
end

local function end_unit(id)
  local unit = hash(key('unit', id))
  if not unit.tenant then return end
  for _, chunk in ipairs(redis.call('SMEMBERS', key('unit', id, 'out'))) do
    redis.call('ZREM', key('leases'), spot(id, chunk))
    leave_line(unit, spot(id, chunk))
  end
  for _, used in ipairs(redis.call('SMEMBERS', key('unit', id, 'uses'))) do
    redis.call('SREM', key('using', used), id)
  end
  for _, part in ipairs({'chunks', 'out', 'live', 'uses'}) do redis.call('DEL', key('unit', id, part)) end
  redis.call('DEL', key('unit', id))
  redis.call('ZREM', key('deadlines'), id)
  redis.call('ZREM', key('t', unit.tenant, 'waiting', window(unit)), id)
  redis.call('SREM', key('t', unit.tenant, 'active', window(unit)), id)
  admit(unit.tenant, window(unit))
end

-- A unit that has done what there was to do, and may begin again: it makes room, and its fences stay.
local function rest(id)
  local unit = hash(key('unit', id))
  redis.call('SREM', key('t', unit.tenant, 'active', window(unit)), id)
  admit(unit.tenant, window(unit))
end

local function is_leased(id)
  for _, chunk in ipairs(redis.call('SMEMBERS', key('unit', id, 'out'))) do
    if redis.call('ZSCORE', key('leases'), spot(id, chunk)) then return true end
  end
  return false
end

-- After a chunk is done. Its fence stays: where another stage numbers its chunks anew, an old lease must not pass.
local function put_away(unit, id, chunk)
  redis.call('SREM', key('unit', id, 'out'), chunk)
  redis.call('HDEL', key('unit', id, 'live'), chunk)
  redis.call('HDEL', key('unit', id, 'chunks'), 'attempts:' .. chunk, 'faults:' .. chunk, 'taken:' .. chunk,
    'sent:' .. chunk, 'width:' .. chunk)
  redis.call('ZREM', key('leases'), spot(id, chunk))
  leave_line(unit, spot(id, chunk))
end

-- How many chunks in a row the lease that speaks is about.
local function width_of_lease()
  return tonumber(redis.call('HGET', key('unit', ASK.id, 'chunks'), 'width:' .. ASK.chunk) or 1)
end

-- The unit of the lease that speaks, or nil (counted) where it stands no more: somebody else may have the chunk now.
local function unit_of_lease()
  local fence = redis.call('HGET', key('unit', ASK.id, 'chunks'), 'fence:' .. ASK.chunk)
  if fence == tostring(ASK.fence) and redis.call('ZSCORE', key('leases'), spot(ASK.id, ASK.chunk)) then
    return hash(key('unit', ASK.id))
  end
  count('stale_fences')
  return nil
end
