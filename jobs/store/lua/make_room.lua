-- Reserves room for an upload before its first byte: nobody else of the tenant can take it, and it lapses by itself, an
-- hour after the slowest that is let send has sent it. What its key remembers needs none: it will be answered with
-- what there is.
if remembered(ASK.tenant, ASK.kind) then return reply('ok', {keeps = false}) end
local full = over(ASK.tenant, ASK.quota, 1) or over(ASK.tenant, 'stored_bytes', ASK.bytes)
  or over(ASK.tenant, 'record_bytes', 1)
if full then return full end
weigh(ASK.tenant, ASK.id, ROOM, ASK.bytes)
lapse_at(ASK.tenant, ASK.kind, ASK.id, STEADY + HOUR + math.ceil(1000 * ASK.bytes / ASK.bytes_per_second))
return reply('ok', {keeps = true})
