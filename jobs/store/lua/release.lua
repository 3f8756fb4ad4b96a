-- An orderly drain: the chunk can be taken at once, and the attempt is not charged.
write_when_full()
local unit = unit_of_lease()
if not unit then return reply('refused') end
redis.call('HINCRBY', key('unit', ASK.id, 'chunks'), 'attempts:' .. ASK.chunk, -1)
put_back(unit, ASK.id, ASK.chunk, false)
return reply('ok')
