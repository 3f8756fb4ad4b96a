-- Leases one chunk to one worker, with a fence above all earlier ones. The first lease of a job sets it running.
local unit = hash(key('unit', ASK.id))
local here = spot(ASK.id, ASK.chunk)
if not unit.tenant or unit.cancel or redis.call('SISMEMBER', key('unit', ASK.id, 'out'), ASK.chunk) == 0 then
  return reply('none')
end
local held_until = redis.call('ZSCORE', key('leases'), here)
if held_until and tonumber(held_until) > NOW or attempts_spent(ASK.id, ASK.chunk) then return reply('none') end

local chunks = key('unit', ASK.id, 'chunks')
redis.call('HDEL', chunks, 'sent:' .. ASK.chunk)
redis.call('ZREM', key('sent'), here)
redis.call('ZADD', key('leases'), NOW + LIMITS.lease_ms, here)
local lease = {
  tenant = unit.tenant,
  work = unit.stage or unit.work,
  fence = redis.call('HINCRBY', chunks, 'fence:' .. ASK.chunk, 1),
  attempt = redis.call('HINCRBY', chunks, 'attempts:' .. ASK.chunk, 1),
}
if unit.work == 'inspect' then
  local model = object(unit.tenant, 'model', ASK.id)
  lease.card, lease.sealed = redis.call('HGET', model, 'card'), redis.call('HGET', model, 'sealed') or nil
  return reply('ok', lease)
end
if unit.work == 'report' then return reply('ok', lease) end
local job = object(unit.tenant, 'job', ASK.id)
if move(job, 'running') then
  local audit = redis.call('HGET', job, 'owner')
  if audit and step(audit, 'running') then redis.call('HSET', audit, 'started', NOW) end
  redis.call('HSET', job, 'started', NOW, 'changed', NOW)
  redis.call('ZADD', key('deadlines'), NOW + 1000 * redis.call('HGET', job, 'seconds'), ASK.id)
end
lease.spec = redis.call('HGET', job, 'spec')
lease.prepared = redis.call('HGET', job, 'prepared') or nil
local model = object(unit.tenant, 'model', redis.call('HGET', job, 'model_id'))
lease.sealed = redis.call('HGET', model, 'sealed') or nil
lease.milliseconds_left = redis.call('ZSCORE', key('deadlines'), ASK.id) - NOW
return reply('ok', lease)
