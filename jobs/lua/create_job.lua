-- A queued job, its unit of work and its idempotency key; whatever the windows allow is admitted at once.
local status, id = remembered(ASK.tenant)
if status then return reply(status, {id = id}) end
local job = object(ASK.tenant, 'job', ASK.id)
if exists(job) then return reply('ok') end -- a retry of the connection
local model = object(ASK.tenant, 'model', ASK.model_id)
if redis.call('HGET', model, 'state') ~= 'ready' or not exists(object(ASK.tenant, 'samples', ASK.samples_id)) then
  return reply('missing') -- removed since it was admitted
end
redis.call('HSET', job, 'state', 'queued', 'version', 1, 'created', NOW, 'changed', NOW, 'spec', ASK.spec,
  'request', ASK.request, 'model_id', ASK.model_id, 'samples_id', ASK.samples_id, 'samples_total', ASK.samples_total,
  'chunk_size', ASK.chunk_size, 'seconds', ASK.seconds, 'samples_done', 0, 'queries', 0, 'gradients', 0)
tally('queued', 1)
list(ASK.tenant, 'job', ASK.id)
remember(ASK.tenant, ASK.id)
redis.call('SADD', key('using', ASK.model_id), ASK.id)
redis.call('SADD', key('using', ASK.samples_id), ASK.id)
redis.call('ZADD', key('deadlines'), NOW + LIMITS.queue_ms, ASK.id)
begin(ASK.tenant, ASK.id, 'run', ASK.queue, ASK.chunks)
return reply('ok')
