-- Ends an audit under the fence of its report: verdict and summary stay in the store, the audit holds the report.
local unit = unit_of_lease()
if not unit then return reply('refused') end
for _, digest in pairs(ASK.forms) do
  if not hold(ASK.id, digest) then return reply('busy') end
end
redis.call('HSET', object(unit.tenant, 'audit', ASK.id), 'verdict', ASK.verdict, 'summary', ASK.summary,
  'forms', cjson.encode(ASK.forms))
end_audit(unit.tenant, ASK.id, 'succeeded')
return reply('ok')
