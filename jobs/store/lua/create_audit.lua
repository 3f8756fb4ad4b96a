-- A queued audit, the jobs of its first phase and its idempotency key. It holds the report of its baseline.
local status, id = remembered(ASK.tenant, 'audit')
if status then return reply(status, {id = id}) end
local audit = object(ASK.tenant, 'audit', ASK.id)
if exists(audit) then return reply('ok') end -- a retry of the connection
if not can_use(ASK.tenant, ASK.model_id, ASK.samples_id) then return reply('missing') end
if is_full(ASK.tenant) then return reply('too_many') end
if ASK.baseline and not hold(ASK.id, ASK.baseline) then return reply('busy') end
redis.call('HSET', audit, 'state', 'queued', 'version', 1, 'created', NOW, 'spec', ASK.spec, 'request', ASK.request,
  'skipped', ASK.skipped, 'model_id', ASK.model_id, 'samples_id', ASK.samples_id, 'queue', ASK.queue,
  'phases', ASK.phases, 'planned', ASK.planned)
if ASK.draft then redis.call('HSET', audit, 'draft', ASK.draft) end
list(ASK.tenant, 'audit', ASK.id)
remember(ASK.tenant, ASK.id)
redis.call('SADD', key('using', ASK.model_id), ASK.id)
redis.call('SADD', key('using', ASK.samples_id), ASK.id)
begin_phase(ASK.tenant, ASK.id, ASK.jobs)
return reply('ok')
