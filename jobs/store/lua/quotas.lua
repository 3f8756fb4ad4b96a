-- Quotas: how much of each a tenant has by now (the names are those of jobs/installation/quotas.py).
local USED = {
  stored_bytes = function(tenant) return redis.call('HGET', key('t', tenant, 'kept'), 'library') end,
  record_bytes = function(tenant) return redis.call('HGET', key('t', tenant, 'kept'), 'records') end,
  models = function(tenant) return redis.call('ZCARD', key('t', tenant, 'list', 'model')) end,
  samples = function(tenant) return redis.call('ZCARD', key('t', tenant, 'list', 'samples')) end,
  live_jobs = function(tenant)
    local waiting, active = key('t', tenant, 'waiting', 'job'), key('t', tenant, 'active', 'job')
    return redis.call('ZCARD', waiting) + redis.call('SCARD', active)
  end,
  live_audits = function(tenant) return redis.call('SCARD', key('t', tenant, 'audits')) end,
}

local function used(tenant, quota) return tonumber(USED[quota](tenant) or 0) end

-- The refusal of what would pass a quota, or nil.
local function over(tenant, quota, more)
  local so_far = used(tenant, quota)
  if so_far + more <= LIMITS[quota] then return nil end
  return reply('over_quota', {quota = quota, used = so_far, limit = LIMITS[quota], more = more})
end

-- Why a tenant may have no more jobs, or nil. An audit needs one place for all its jobs, or one of more jobs than the
-- limit would never find room. What jobs find is not refused when it comes, so whoever is over begins no more.
local function has_no_room(tenant, jobs)
  local bytes = 0
  for _, asked in ipairs(jobs) do bytes = bytes + #asked.spec + #asked.request end
  return over(tenant, 'live_jobs', 1) or over(tenant, 'record_bytes', bytes) or over(tenant, 'stored_bytes', 0)
end
