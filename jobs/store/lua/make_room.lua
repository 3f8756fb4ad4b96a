-- Reserves room for an upload before its first byte: nobody else of the tenant can take it, and it lapses by itself.
if remembered(ASK.tenant, ASK.kind) then return reply('ok') end -- it will be answered with what there is
local full = over(ASK.tenant, ASK.quota, 1) or over(ASK.tenant, 'stored_bytes', ASK.bytes)
  or over(ASK.tenant, 'record_bytes', 1)
if full then return full end
weigh(ASK.tenant, ASK.id, ROOM, ASK.bytes)
lapse_at(ASK.tenant, ASK.kind, ASK.id, STEADY + HOUR)
return reply('ok')
