-- Samples and their hold on the bytes.
if not hold(ASK.id, ASK.digest) then return reply('busy') end
redis.call('HSET', object(ASK.tenant, 'samples', ASK.id), 'card', ASK.card)
list(ASK.tenant, 'samples', ASK.id)
return reply('ok')
