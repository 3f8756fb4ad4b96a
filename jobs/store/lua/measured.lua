-- The bytes of something that is held, by an object that came before bytes were counted.
local owner, digest = ASK.id, ASK.digest
if redis.call('HEXISTS', key('holds', owner), digest) == 1 then weigh(ASK.tenant, owner, digest, ASK.bytes) end
redis.call('SREM', key('unmeasured'), ASK.member)
return reply('ok')
