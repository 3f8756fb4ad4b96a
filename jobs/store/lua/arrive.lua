-- A request with a key: one turn of its tenant's bucket (as in `reserve.lua`, but nobody is kept waiting: a bucket that
-- is empty refuses and is left as it is), and the last use of the key, at most once in `touch_seconds`. A server that
-- takes no writes may still answer reads, so nothing is counted there.
if not write_when_full() then return reply('ok') end
if ASK.per_second > 0 then
  local bucket = key('t', ASK.tenant, 'turns')
  local turn = 1000 / ASK.per_second
  local kept = tonumber(redis.call('GET', bucket) or 0)
  kept = math.min(kept, STEADY + turn * ASK.burst) -- a burst that was allowed more is forgotten
  local full_at = math.max(STEADY, kept) + turn
  local wait = full_at - STEADY - turn * ASK.burst
  if wait > 0 then return reply('too_often', {seconds = wait / 1000}) end
  redis.call('SET', bucket, string.format('%.3f', full_at), 'PX', math.ceil(full_at - STEADY) + 1000)
end
if redis.call('SET', key('keys', 'touched', ASK.id), 1, 'NX', 'EX', ASK.touch_seconds) then
  redis.call('HSET', key('keys', 'used'), ASK.id, ASK.moment)
end
return reply('ok')
