-- Takes a model, samples or a job away; the caller deletes the bytes that nobody holds any more.
write_when_full()
if not exists(object(ASK.tenant, ASK.kind, ASK.id)) then return reply('missing') end
if exists(key('using', ASK.id)) then return reply('in_use') end
remove(ASK.tenant, ASK.kind, ASK.id)
return reply('ok')
