-- Turns to call an origin, dealt out to all jobs on it: a bucket that fills at `per_second` and holds `burst`.
-- The one number kept is the time at which the bucket would be full again (GCRA, the leaky bucket as a meter).
write_when_full() -- those who call keep the rate together all the same
local bucket = key('origin', ASK.origin)
local turn = 1000 / ASK.per_second
local room = turn * ASK.burst
local full_at = math.max(STEADY, tonumber(redis.call('GET', bucket) or 0))
if ASK.hold > 0 then full_at = math.max(full_at, STEADY + 1000 * ASK.hold + room) end -- empty until then
full_at = full_at + turn * ASK.calls
redis.call('SET', bucket, string.format('%.3f', full_at), 'PX', math.ceil(full_at - STEADY) + 1000)
return reply('ok', {seconds = math.max(0, full_at - STEADY - room) / 1000})
