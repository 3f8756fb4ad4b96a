-- A queued audit, the jobs of its first phase and its idempotency key. It holds the report of its baseline, which
-- counts for both of them: either may go first.
local status, id = remembered(ASK.tenant, 'audit')
if status then return reply(status, {id = id}) end
local audit = object(ASK.tenant, 'audit', ASK.id)
if exists(audit) then return reply('ok') end -- a retry of the connection
if not can_use(ASK.tenant, ASK.model_id, ASK.samples_id) then return reply('missing') end
if ASK.baseline and redis.call('HEXISTS', key('holds', ASK.baseline_id), ASK.baseline) == 0 then
  return reply('missing')
end
local full = over(ASK.tenant, 'live_audits', 1) or has_no_room(ASK.tenant, ASK.jobs)
if full then return full end
if ASK.baseline then
  local bytes = held(ASK.baseline_id, ASK.baseline)
  if not hold(ASK.tenant, ASK.id, ASK.baseline, bytes) then return reply('busy') end
end
record(ASK.tenant, ASK.id, OBJECT + #ASK.spec + #ASK.request + #ASK.skipped)
redis.call('SADD', key('t', ASK.tenant, 'audits'), ASK.id)
redis.call('HSET', audit, 'state', 'queued', 'version', 1, 'created', NOW, 'spec', ASK.spec, 'request', ASK.request,
  'skipped', ASK.skipped, 'model_id', ASK.model_id, 'samples_id', ASK.samples_id, 'queue', ASK.queue,
  'phases', ASK.phases, 'planned', ASK.planned)
if ASK.draft then redis.call('HSET', audit, 'draft', ASK.draft) end
list(ASK.tenant, 'audit', ASK.id)
remember(ASK.tenant, 'audit', ASK.id)
redis.call('SADD', key('using', ASK.model_id), ASK.id)
redis.call('SADD', key('using', ASK.samples_id), ASK.id)
begin_phase(ASK.tenant, ASK.id, ASK.jobs)
return reply('ok')
