-- A job that nobody computes ends at once; others get the flag, which their workers meet at the next beat.
local state = redis.call('HGET', object(ASK.tenant, 'job', ASK.id), 'state')
if not state then return reply('missing') end
if not next(MOVES[state]) then return reply('ok') end
if not is_leased(ASK.id) then
  end_job(ASK.tenant, ASK.id, 'cancelled')
elseif redis.call('HSETNX', key('unit', ASK.id), 'cancel', NOW) == 1 then
  redis.call('ZADD', key('deadlines'), NOW + LIMITS.cancel_ms, ASK.id)
  bump(object(ASK.tenant, 'job', ASK.id))
end
return reply('ok')
