-- Holds a digest for an object that is about to be added, or for a job. Without the object the hold lapses.
if not hold(ASK.id, ASK.digest) then return reply('busy') end
if not exists(object(ASK.tenant, ASK.kind, ASK.id)) then
  lapse_at(ASK.tenant, ASK.kind, ASK.id, NOW + HOUR)
end
return reply('ok')
