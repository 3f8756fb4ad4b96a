-- A chunk could not be computed. A fault of the model is retried once; other failures until the attempts are spent.
-- A runner that was taken from outside is no fault of anything here: it is not charged, and has a count of its own.
-- What had been found before it is kept where the job ends by it, or is cancelled.
write_when_full()
local unit = unit_of_lease()
if not unit then return reply('refused') end
local MOST_FAULTS, MOST_TAKEN = 2, 10
local chunks = key('unit', ASK.id, 'chunks')
local is_spent = not ASK.retry or attempts_spent(ASK.id, ASK.chunk)
if ASK.code == 'model_fault' then
  is_spent = redis.call('HINCRBY', chunks, 'faults:' .. ASK.chunk, 1) >= MOST_FAULTS or is_spent
elseif ASK.code == 'worker_lost' then
  redis.call('HINCRBY', chunks, 'attempts:' .. ASK.chunk, -1)
  is_spent = redis.call('HINCRBY', chunks, 'taken:' .. ASK.chunk, 1) >= MOST_TAKEN
end
if ASK.result and (is_spent or unit.cancel) then
  if ASK.digest and not hold(unit.tenant, ASK.id, ASK.digest) then return reply('busy') end
  local subject = object(unit.tenant, unit.subject, ASK.id)
  keep_result(unit.tenant, subject)
  touch(subject)
end
put_back(unit, ASK.id, ASK.chunk, is_spent, ASK.code, ASK.detail)
return reply('ok')
