-- Leases one chunk to one worker, with a fence above all earlier ones. The first lease of a job sets it running.
local unit = hash(key('unit', ASK.id))
local here = spot(ASK.id, ASK.chunk)
if not unit.tenant or unit.cancel or redis.call('SISMEMBER', key('unit', ASK.id, 'out'), ASK.chunk) == 0 then
  return reply('none')
end
local held_until = redis.call('ZSCORE', key('leases'), here)
if held_until and tonumber(held_until) > NOW or attempts_spent(ASK.id, ASK.chunk) then return reply('none') end

local chunks, subject = key('unit', ASK.id, 'chunks'), object(unit.tenant, unit.subject, ASK.id)
-- The fence first: a full server refuses it, and so begins nothing more.
local fence = redis.call('HINCRBY', chunks, 'fence:' .. ASK.chunk, 1)
redis.call('HDEL', chunks, 'sent:' .. ASK.chunk)
redis.call('ZREM', key('sent'), here)
redis.call('ZADD', key('leases'), NOW + LIMITS.lease_ms, here)
local lease = {
  tenant = unit.tenant,
  subject = unit.subject,
  work = unit.work,
  fence = fence,
  attempt = redis.call('HINCRBY', chunks, 'attempts:' .. ASK.chunk, 1),
}

local function set_running(job)
  if not move(job, 'running') then return end
  local audit = redis.call('HGET', job, 'owner')
  if audit and step(audit, 'running') then redis.call('HSET', audit, 'started', NOW) end
  redis.call('HSET', job, 'started', NOW, 'changed', NOW)
  redis.call('ZADD', key('deadlines'), NOW + 1000 * redis.call('HGET', job, 'seconds'), ASK.id)
end

if unit.subject == 'job' then
  set_running(subject)
  local asked = hash(subject)
  local model = object(unit.tenant, 'model', asked.model_id)
  lease.spec, lease.request, lease.prepared = asked.spec, asked.request, asked.prepared
  lease.model, lease.sealed = redis.call('HGET', model, 'card'), redis.call('HGET', model, 'sealed') or nil
  lease.samples = redis.call('HGET', object(unit.tenant, 'samples', asked.samples_id), 'card')
  if asked.auxiliary_id then
    lease.auxiliary = redis.call('HGET', object(unit.tenant, 'samples', asked.auxiliary_id), 'card')
  end
  lease.milliseconds_left = redis.call('ZSCORE', key('deadlines'), ASK.id) - NOW
elseif unit.subject == 'model' then
  lease.model, lease.sealed = redis.call('HGET', subject, 'card'), redis.call('HGET', subject, 'sealed') or nil
  lease.spec = unit.spec
  if unit.seconds then
    redis.call('ZADD', key('deadlines'), 'NX', NOW + 1000 * unit.seconds, ASK.id)
    lease.milliseconds_left = redis.call('ZSCORE', key('deadlines'), ASK.id) - NOW
  end
end
return reply('ok', lease)
