-- Reserves room for an upload before its first byte: nobody else of the tenant can take it, and it lapses by itself.
-- What its key remembers will be answered with what there is, so it may pass the limit while it comes, one at a time:
-- or as many as come at once would fill the disk.
local full
if remembered(ASK.tenant, ASK.kind) then
  full = over(ASK.tenant, 'stored_bytes', 0)
else
  full = over(ASK.tenant, ASK.quota, 1) or over(ASK.tenant, 'stored_bytes', ASK.bytes)
    or over(ASK.tenant, 'record_bytes', 1)
end
if full then return full end
weigh(ASK.tenant, ASK.id, ROOM, ASK.bytes)
lapse_at(ASK.tenant, ASK.kind, ASK.id, STEADY + HOUR)
return reply('ok')
