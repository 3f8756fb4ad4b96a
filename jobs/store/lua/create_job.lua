-- A queued job, its unit of work and its idempotency key; whatever the windows allow is admitted at once.
local status, id = remembered(ASK.tenant, 'job')
if status then return reply(status, {id = id}) end
if exists(object(ASK.tenant, 'job', ASK.id)) then return reply('ok') end -- a retry of the connection
if not can_use(ASK.tenant, ASK.model_id, ASK.samples_id, ASK.auxiliary_id) then return reply('missing') end
if ASK.surrogate_id and not is_there(ASK.tenant, 'model', ASK.surrogate_id) then return reply('missing') end
local full = has_no_room(ASK.tenant, {ASK})
if full then return full end
remember(ASK.tenant, 'job', ASK.id)
queue_job(ASK.tenant, ASK)
return reply('ok')
