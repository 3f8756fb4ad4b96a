-- Holds a digest for an object that is about to be added, or for a job. Without the object the hold lapses. What is
-- about to be added must find room, in that which was reserved for it; what a job found is kept in any case.
local is_added = exists(object(ASK.tenant, ASK.kind, ASK.id))
if is_added then write_when_full() end -- a result of work that was taken on
local more = ASK.bytes - held(ASK.id, ROOM) - held(ASK.id, ASK.digest)
local full = not is_added and over(ASK.tenant, 'stored_bytes', more)
if full then return full end
if not hold(ASK.tenant, ASK.id, ASK.digest, ASK.bytes) then return reply('busy') end
if held(ASK.id, ROOM) > 0 then weigh(ASK.tenant, ASK.id, ROOM, 0) end
if not is_added then
  lapse_at(ASK.tenant, ASK.kind, ASK.id, STEADY + HOUR)
end
return reply('ok')
