-- How much a tenant has of everything that has a quota.
local answer = {}
for quota in pairs(USED) do answer[quota] = used(ASK.tenant, quota) end
return reply('ok', {used = answer})
