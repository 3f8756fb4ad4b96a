-- Samples and their hold on the bytes; or what their idempotency key remembers.
local status, id = remembered(ASK.tenant, 'samples')
if status then return reply(status, {id = id}) end
if not hold(ASK.id, ASK.digest) then return reply('busy') end
redis.call('HSET', object(ASK.tenant, 'samples', ASK.id), 'card', ASK.card)
list(ASK.tenant, 'samples', ASK.id)
remember(ASK.tenant, ASK.id)
return reply('ok')
