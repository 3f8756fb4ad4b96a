-- Another hash for an API key, unless the key was revoked or rehashed meanwhile. A server that takes no writes keeps
-- the old one, which still opens.
if not write_when_full() then return reply('ok') end
local kept = redis.call('HGET', key('keys'), ASK.id)
if kept and cjson.decode(kept).secret_hash == ASK.before then redis.call('HSET', key('keys'), ASK.id, ASK.record) end
return reply('ok')
