-- Keeps what the work of a lease gave, under its fence: the first writer wins. The last chunk of a stage begins the
-- next stage; the last of all ends the subject and admits the next, but an audit may go on with more jobs. A job's last
-- chunk must bring the summary, so without one it is told `last` and nothing has changed. A chunk that goes on is not
-- done: it stands in line again, as if it were a new one that begins with what the subject's fields say by now.
write_when_full()
local unit = unit_of_lease()
if not unit then return reply('refused') end
local done = unit.done + (ASK.goes_on and 0 or width_of_lease())
local is_last = done == tonumber(unit.total)
if is_last and not unit.later and ASK.result and not ASK.summary and not unit.cancel then return reply('last') end
for _, digest in ipairs(ASK.digests) do
  if not hold(unit.tenant, ASK.id, digest) then return reply('busy') end
end
if ASK.digest and not hold(unit.tenant, ASK.id, ASK.digest) then return reply('busy') end
for _, digest in ipairs(ASK.given_up) do give_up(unit.tenant, ASK.id, digest, held(ASK.id, digest)) end

local subject = object(unit.tenant, unit.subject, ASK.id)
for name, value in pairs(ASK.fields) do
  record(unit.tenant, ASK.id, #value - redis.call('HSTRLEN', subject, name))
  redis.call('HSET', subject, name, value)
end
if ASK.result then keep_result(unit.tenant, subject) end
touch(subject)
redis.call('HSET', key('unit', ASK.id), 'done', done)
local said = redis.call('HGET', key('unit', ASK.id, 'live'), ASK.chunk)
put_away(unit, ASK.id, ASK.chunk)

if unit.cancel then
  if not is_leased(ASK.id) then ENDS[unit.subject](unit.tenant, ASK.id, 'cancelled') end
elseif ASK.goes_on then
  if said then redis.call('HSET', key('unit', ASK.id, 'live'), ASK.chunk, said) end
  redis.call('SADD', key('unit', ASK.id, 'out'), ASK.chunk)
  send(ASK.id, ASK.chunk)
elseif not is_last then
  if not unit.later then redis.call('HDEL', key('unit', ASK.id, 'chunks'), 'fence:' .. ASK.chunk) end
  fill(ASK.id)
elseif unit.later then
  enter(ASK.id, cjson.decode(unit.later))
  fill(ASK.id)
elseif ASK.jobs then
  rest(ASK.id)
  begin_phase(unit.tenant, ASK.id, ASK.jobs)
else
  if ASK.summary then
    record(unit.tenant, ASK.id, #ASK.summary)
    redis.call('HSET', subject, 'summary', ASK.summary)
  end
  ENDS[unit.subject](unit.tenant, ASK.id, 'succeeded')
end
return reply('ok')
