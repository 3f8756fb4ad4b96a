-- Keeps a chunk's result under its fence: the first writer wins. The last one ends the job and admits the next; it
-- must bring the summary, so without one it is told `last` and nothing has changed.
local unit = unit_of_lease()
if not unit then return reply('refused') end
local done = unit.done + 1
local is_last = done == tonumber(unit.total)
if is_last and not ASK.summary and not unit.cancel then return reply('last') end
if ASK.digest and not hold(ASK.id, ASK.digest) then return reply('busy') end

local job = object(unit.tenant, 'job', ASK.id)
keep_result(job)
redis.call('HSET', key('unit', ASK.id), 'done', done)
put_away(ASK.id, ASK.chunk)
redis.call('HDEL', key('unit', ASK.id, 'chunks'), 'fence:' .. ASK.chunk)

if unit.cancel then
  if not is_leased(ASK.id) then end_job(unit.tenant, ASK.id, 'cancelled') end
elseif is_last then
  redis.call('HSET', job, 'summary', ASK.summary)
  end_job(unit.tenant, ASK.id, 'succeeded')
else
  fill(ASK.id)
end
return reply('ok')
