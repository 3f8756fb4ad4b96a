-- Extends a lease that still stands, keeps its progress, and tells of a cancel.
write_when_full()
local unit = unit_of_lease()
if not unit then return reply('lost') end
redis.call('ZADD', key('leases'), STEADY + LIMITS.lease_ms, spot(ASK.id, ASK.chunk))
local live = key('unit', ASK.id, 'live')
if (unit.subject == 'job' or unit.window == 'making') and redis.call('HGET', live, ASK.chunk) ~= ASK.progress then
  redis.call('HSET', live, ASK.chunk, ASK.progress)
  touch(object(unit.tenant, unit.subject, ASK.id))
end
return reply(unit.cancel and 'cancel' or 'go')
