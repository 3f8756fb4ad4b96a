-- Holds a digest for an object that is about to be added, or for a job. Without the object the hold lapses.
local is_added = exists(object(ASK.tenant, ASK.kind, ASK.id))
if is_added then write_when_full() end -- a result of work that was taken on
if not hold(ASK.id, ASK.digest) then return reply('busy') end
if not is_added then
  lapse_at(ASK.tenant, ASK.kind, ASK.id, NOW + HOUR)
end
return reply('ok')
