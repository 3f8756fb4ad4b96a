-- Samples and their hold on the bytes; or what their idempotency key remembers.
local status, id = remembered(ASK.tenant, 'samples')
if status then return reply(status, {id = id}) end
if exists(object(ASK.tenant, 'samples', ASK.id)) then return reply('ok') end -- a retry of the connection
local full = over(ASK.tenant, 'samples', 1) or over(ASK.tenant, 'record_bytes', #ASK.card)
  or over(ASK.tenant, 'stored_bytes', ASK.bytes - held(ASK.id, ASK.digest))
if full then return full end
if not hold(ASK.tenant, ASK.id, ASK.digest, ASK.bytes) then return reply('busy') end
record(ASK.tenant, ASK.id, OBJECT + #ASK.card)
redis.call('HSET', object(ASK.tenant, 'samples', ASK.id), 'card', ASK.card)
list(ASK.tenant, 'samples', ASK.id)
remember(ASK.tenant, 'samples', ASK.id)
return reply('ok')
