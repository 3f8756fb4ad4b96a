-- A chunk could not be computed. A fault of the model is retried once; other failures until the attempts are spent.
-- What had been found before it is kept where the job ends by it, or is cancelled.
write_when_full()
local unit = unit_of_lease()
if not unit then return reply('refused') end
local is_spent = not ASK.retry or attempts_spent(ASK.id, ASK.chunk)
if ASK.code == 'model_fault' then
  local faults = redis.call('HINCRBY', key('unit', ASK.id, 'chunks'), 'faults:' .. ASK.chunk, 1)
  is_spent = is_spent or faults > 1
end
if ASK.result and (is_spent or unit.cancel) then
  if ASK.digest and not hold(unit.tenant, ASK.id, ASK.digest) then return reply('busy') end
  local subject = object(unit.tenant, unit.subject, ASK.id)
  keep_result(unit.tenant, subject)
  touch(subject)
end
put_back(unit, ASK.id, ASK.chunk, is_spent, ASK.code, ASK.detail)
return reply('ok')
