-- Leases one chunk to one worker, with a fence above all earlier ones. The first lease of a job sets it running.
-- A message names a chunk, but the one leased is whichever has its turn in the message's queue: each chunk in line has
-- sent a message, so each is taken by one. Only where nobody stands in line is it the chunk that the message names.
local function can_be_leased(unit, name, number)
  if not unit.tenant or unit.cancel then return false end
  if redis.call('SISMEMBER', key('unit', name, 'out'), number) == 0 then return false end
  local held_until = redis.call('ZSCORE', key('leases'), spot(name, number))
  return not (held_until and tonumber(held_until) > STEADY) and not attempts_spent(name, number)
end

-- The tenant that has had no turn for longest; or the one whose turn is not over at this worker, where more tenants
-- wait than it keeps runners for. It went to the end when its turn began, so it loses and wins nothing by that.
local function whose_turn(queue)
  local turns = key('turns', queue)
  if ASK.again and redis.call('ZCARD', turns) > ASK.runners and redis.call('ZSCORE', turns, ASK.again) then
    return ASK.again
  end
  local tenant = redis.call('ZRANGE', turns, 0, 0)[1]
  if tenant then redis.call('ZADD', turns, redis.call('INCR', key('sequence')), tenant) end
  return tenant
end

local function next_in_turn(queue)
  while true do
    local tenant = whose_turn(queue)
    if not tenant then return nil end
    local here = redis.call('ZRANGE', key('t', tenant, 'line', queue), 0, 0)[1]
    local name, number = here:match('^(.*)/(%d+)$')
    leave_line({tenant = tenant, queue = queue}, here)
    if can_be_leased(hash(key('unit', name)), name, number) then return name, tonumber(number) end
  end
end

-- How many chunks in a row this lease is about: as many as before, or as many as worker and job allow and nobody has
-- begun. Those behind the first leave the line, and are counted, failed and given back with it.
local function width_of(unit, id, chunk, most)
  local chunks, out = key('unit', id, 'chunks'), key('unit', id, 'out')
  local width = tonumber(redis.call('HGET', chunks, 'width:' .. chunk) or 1)
  if redis.call('HEXISTS', chunks, 'attempts:' .. chunk) == 1 then return width end
  local first, total = tonumber(unit.next), tonumber(unit.total)
  while width < most and chunk + width < total do
    local other = chunk + width
    if other == first then
      first = first + 1
    elseif redis.call('HEXISTS', chunks, 'attempts:' .. other) == 0 and redis.call('SREM', out, other) == 1 then
      redis.call('HDEL', chunks, 'sent:' .. other)
      leave_line(unit, spot(id, other))
    else
      break
    end
    width = width + 1
  end
  if width > 1 then
    redis.call('HSET', key('unit', id), 'next', first)
    redis.call('HSET', chunks, 'width:' .. chunk, width)
  end
  return width
end

local id, chunk
if ASK.queue then id, chunk = next_in_turn(ASK.queue) end
if not id then id, chunk = ASK.id, ASK.chunk end
local unit = hash(key('unit', id))
if not can_be_leased(unit, id, chunk) then return reply('none') end

local here = spot(id, chunk)
local chunks, subject = key('unit', id, 'chunks'), object(unit.tenant, unit.subject, id)
-- The fence first: a full server refuses it, and so begins nothing more.
local fence = redis.call('HINCRBY', chunks, 'fence:' .. chunk, 1)
local most = math.min(ASK.chunks, tonumber(redis.call('HGET', subject, 'chunks_at_once') or 1))
local width = width_of(unit, id, chunk, most)
redis.call('HDEL', chunks, 'sent:' .. chunk)
leave_line(unit, here)
redis.call('ZADD', key('leases'), STEADY + LIMITS.lease_ms, here)
local lease = {
  id = id,
  chunk = chunk,
  width = width,
  tenant = unit.tenant,
  subject = unit.subject,
  work = unit.work,
  fence = fence,
  attempt = redis.call('HINCRBY', chunks, 'attempts:' .. chunk, 1),
}

local function set_running(job)
  if not move(job, 'running') then return end
  local audit = redis.call('HGET', job, 'owner')
  if audit and step(audit, 'running') then redis.call('HSET', audit, 'started', NOW) end
  redis.call('HSET', job, 'started', NOW, 'changed', NOW)
  redis.call('ZADD', key('deadlines'), STEADY + 1000 * redis.call('HGET', job, 'seconds'), id)
end

if unit.subject == 'job' then
  set_running(subject)
  if width > 1 then fill(id) end
  local asked = hash(subject)
  local model = object(unit.tenant, 'model', asked.model_id)
  lease.spec, lease.request, lease.prepared = asked.spec, asked.request, asked.prepared
  lease.model, lease.sealed = redis.call('HGET', model, 'card'), redis.call('HGET', model, 'sealed') or nil
  for part, kind in pairs({samples = 'samples', auxiliary = 'samples', surrogate = 'model'}) do
    local used = asked[part .. '_id']
    if used then lease[part] = redis.call('HGET', object(unit.tenant, kind, used), 'card') end
  end
  lease.surrogate = asked.substitute or lease.surrogate -- the one that the job has trained
  lease.milliseconds_left = redis.call('ZSCORE', key('deadlines'), id) - STEADY
elseif unit.subject == 'model' then
  lease.model, lease.sealed = redis.call('HGET', subject, 'card'), redis.call('HGET', subject, 'sealed') or nil
  lease.spec = unit.spec
  if unit.seconds then
    redis.call('ZADD', key('deadlines'), 'NX', STEADY + 1000 * unit.seconds, id)
    lease.milliseconds_left = redis.call('ZSCORE', key('deadlines'), id) - STEADY
  end
end
return reply('ok', lease)
