-- A queued audit, all its jobs and its idempotency key. It holds the report of its baseline.
local status, id = remembered(ASK.tenant, 'audit')
if status then return reply(status, {id = id}) end
local audit = object(ASK.tenant, 'audit', ASK.id)
if exists(audit) then return reply('ok') end -- a retry of the connection
if not can_use(ASK.tenant, ASK.model_id, ASK.samples_id) then return reply('missing') end
if is_full(ASK.tenant) then return reply('too_many') end
if ASK.baseline and not hold(ASK.id, ASK.baseline) then return reply('busy') end
local names = {}
for _, job in ipairs(ASK.jobs) do table.insert(names, {id = job.id, method = job.method}) end
redis.call('HSET', audit, 'state', 'queued', 'version', 1, 'created', NOW, 'spec', ASK.spec, 'request', ASK.request,
  'skipped', ASK.skipped, 'model_id', ASK.model_id, 'samples_id', ASK.samples_id, 'queue', ASK.queue,
  'jobs', cjson.encode(names), 'live', #ASK.jobs)
if ASK.draft then redis.call('HSET', audit, 'draft', ASK.draft) end
list(ASK.tenant, 'audit', ASK.id)
remember(ASK.tenant, ASK.id)
redis.call('SADD', key('using', ASK.model_id), ASK.id)
redis.call('SADD', key('using', ASK.samples_id), ASK.id)
for _, job in ipairs(ASK.jobs) do queue_job(ASK.tenant, job, ASK.id) end
return reply('ok')
