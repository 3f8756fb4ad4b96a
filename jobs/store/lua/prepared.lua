-- Ends the `prepare` stage of a job under its fence: the job holds what was made, and its chunks begin.
local unit = unit_of_lease()
if not unit then return reply('refused') end
if not hold(ASK.id, ASK.digest) then return reply('busy') end
local job = object(unit.tenant, 'job', ASK.id)
redis.call('HSET', job, 'prepared', ASK.prepared, 'changed', NOW)
bump(job)
put_away(ASK.id, ASK.chunk)
if unit.cancel then
  end_job(unit.tenant, ASK.id, 'cancelled')
else
  redis.call('HDEL', key('unit', ASK.id), 'stage')
  redis.call('HSET', key('unit', ASK.id), 'total', ASK.chunks, 'next', 0)
  fill(ASK.id)
end
return reply('ok')
