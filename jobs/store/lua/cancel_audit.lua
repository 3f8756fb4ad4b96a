-- Cancels every job; the last one's end is the audit's. One whose report is being written ends at once.
write_when_full()
local audit = object(ASK.tenant, 'audit', ASK.id)
local state = redis.call('HGET', audit, 'state')
if not state then return reply('missing') end
if not next(MOVES[state]) then return reply('ok') end
if redis.call('HSETNX', audit, 'cancel', NOW) == 1 then bump(audit) end
for _, job in ipairs(jobs_of(audit)) do cancel(ASK.tenant, job.id) end
if tonumber(redis.call('HGET', audit, 'live')) == 0 then end_audit(ASK.tenant, ASK.id, 'cancelled') end
return reply('ok')
