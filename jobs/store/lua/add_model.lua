-- A model, its hold on the bytes and, where it is to be inspected, its inspection; or what its idempotency key
-- remembers. An endpoint's secret is kept beside the card, as ciphertext.
local status, id = remembered(ASK.tenant, 'model')
if status then return reply(status, {id = id}) end
local model = object(ASK.tenant, 'model', ASK.id)
if exists(model) then return reply('ok') end -- a retry of the connection
if not hold(ASK.id, ASK.digest) then return reply('busy') end
redis.call('HSET', model, 'card', ASK.card, 'state', ASK.state, 'version', 1)
if ASK.sealed then redis.call('HSET', model, 'sealed', ASK.sealed) end
list(ASK.tenant, 'model', ASK.id)
remember(ASK.tenant, ASK.id)
if ASK.state == 'inspecting' then begin(ASK.tenant, ASK.id, 'model', ASK.queue, ASK.stages) end
return reply('ok')
