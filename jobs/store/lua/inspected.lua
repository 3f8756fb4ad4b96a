-- Ends an inspection under its fence: the card is ready, or refused and its bytes go at once.
local unit = unit_of_lease()
if not unit then return reply('refused') end
if ASK.code then
  refuse_model(unit.tenant, ASK.id, ASK.code, ASK.detail)
  return reply('ok')
end
local model = object(unit.tenant, 'model', ASK.id)
redis.call('HSET', model, 'card', ASK.card, 'state', 'ready')
bump(model)
end_unit(ASK.id)
return reply('ok')
