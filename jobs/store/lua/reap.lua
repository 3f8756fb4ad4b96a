-- One sweep over everything whose time has come. Bounded, and safe to run anywhere, at once and again.
write_when_full()
redis.call('HSET', key('clock'), 'at', NOW)
local function due(name, before)
  return redis.call('ZRANGEBYSCORE', key(name), '-inf', before or STEADY, 'LIMIT', 0, 200)
end
local function place(member) return member:match('^(.*)/(%d+)$') end

for _, member in ipairs(due('leases')) do -- the worker is gone
  if redis.call('ZSCORE', key('leases'), member) then -- a sibling that was given up a moment ago took it along
    local id, chunk = place(member)
    count('lost_leases')
    put_back(hash(key('unit', id)), id, tonumber(chunk), attempts_spent(id, chunk), 'internal',
      'The workers that computed a part of this were lost again and again; try fewer samples, or a smaller model.')
  end
end

for _, member in ipairs(due('sent')) do -- nobody came: the message may be lost
  local id, chunk = place(member)
  count('resent_messages')
  send(id, tonumber(chunk))
end

for _, id in ipairs(due('deadlines')) do
  local unit = hash(key('unit', id))
  local finish_as = ENDS[unit.subject]
  if unit.cancel then
    finish_as(unit.tenant, id, 'cancelled')
  elseif redis.call('HGET', object(unit.tenant, unit.subject, id), 'state') == 'queued' then
    finish_as(unit.tenant, id, 'expired')
  elseif unit.subject == 'model' then
    finish_as(unit.tenant, id, 'failed', 'deadline',
      'The work on this model ran out of its time; ask for less of it, or allow more seconds.')
  else
    finish_as(unit.tenant, id, 'failed', 'deadline',
      'The job ran out of its time; the findings so far are kept. Ask for fewer samples, or allow more seconds.')
  end
end

for _, member in ipairs(due('expiries')) do
  remove(member:match('^(%S+) (%S+) (%S+)$'))
end

for _, digest in ipairs(due('doomed', STEADY - 60000)) do -- whoever was to delete it did not say so
  redis.call('ZADD', key('doomed'), STEADY, digest)
  table.insert(digests, digest)
end
return reply('ok')
