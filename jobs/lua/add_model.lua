-- A model in state `inspecting`, its hold on the bytes and its inspection, or what its idempotency key remembers.
local status, id = remembered(ASK.tenant)
if status then return reply(status, {id = id}) end
local model = object(ASK.tenant, 'model', ASK.id)
if exists(model) then return reply('ok') end -- a retry of the connection
if not hold(ASK.id, ASK.digest) then return reply('busy') end
redis.call('HSET', model, 'card', ASK.card, 'state', 'inspecting', 'version', 1)
list(ASK.tenant, 'model', ASK.id)
remember(ASK.tenant, ASK.id)
begin(ASK.tenant, ASK.id, 'inspect', ASK.queue, 1)
return reply('ok')
