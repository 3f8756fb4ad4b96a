-- An ended job stays as it is.
write_when_full()
local state = redis.call('HGET', object(ASK.tenant, 'job', ASK.id), 'state')
if not state then return reply('missing') end
if next(MOVES[state]) then cancel(ASK.tenant, ASK.id) end
return reply('ok')
