-- A model, its hold on the bytes and, where it is not ready yet, the work that makes it so: its inspection, or work
-- with a spec, with what it uses and with a time of its own. Or what its idempotency key remembers. The secret of an
-- endpoint is kept beside the card, as ciphertext.
local status, id = remembered(ASK.tenant, 'model')
if status then return reply(status, {id = id}) end
local model = object(ASK.tenant, 'model', ASK.id)
if exists(model) then return reply('ok') end -- a retry of the connection
for _, used in ipairs(ASK.uses) do
  if not is_there(ASK.tenant, used.kind, used.id) then return reply('missing') end
end
local full = over(ASK.tenant, 'models', 1) or over(ASK.tenant, 'record_bytes', #ASK.card)
  or over(ASK.tenant, 'stored_bytes', ASK.bytes - held(ASK.id, ASK.digest))
if full then return full end
if not hold(ASK.tenant, ASK.id, ASK.digest, ASK.bytes) then return reply('busy') end
record(ASK.tenant, ASK.id, OBJECT + #ASK.card)
redis.call('HSET', model, 'card', ASK.card, 'state', ASK.state, 'version', 1)
if ASK.sealed then redis.call('HSET', model, 'sealed', ASK.sealed) end
list(ASK.tenant, 'model', ASK.id)
remember(ASK.tenant, 'model', ASK.id)
if ASK.state == 'inspecting' then
  for _, name in ipairs({'spec', 'seconds', 'window'}) do
    if ASK[name] then redis.call('HSET', key('unit', ASK.id), name, ASK[name]) end
  end
  for _, used in ipairs(ASK.uses) do
    redis.call('SADD', key('unit', ASK.id, 'uses'), used.id)
    redis.call('SADD', key('using', used.id), ASK.id)
  end
  begin(ASK.tenant, ASK.id, 'model', ASK.queue, ASK.stages)
end
return reply('ok')
