-- After an upload, however it ended: what was reserved or held for an object that was not added goes at once.
write_when_full()
if not exists(object(ASK.tenant, ASK.kind, ASK.id)) then forget(ASK.tenant, ASK.kind, ASK.id) end
return reply('ok')
