-- Messages that the broker did not take, as where the server is full: nobody heard of them, so they do not count as
-- sent, and are sent again after a lease instead of ever later.
write_when_full()
for _, message in ipairs(ASK.messages) do
  local here = spot(message.id, message.chunk)
  if redis.call('ZSCORE', key('sent'), here) then
    redis.call('HINCRBY', key('unit', message.id, 'chunks'), 'sent:' .. message.chunk, -1)
    redis.call('ZADD', key('sent'), STEADY + LIMITS.lease_ms, here)
  end
end
return reply('ok')
