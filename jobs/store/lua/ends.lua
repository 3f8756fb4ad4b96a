-- How jobs, audits and models end, begin and go: shared by every script, after `moves.lua`.

-- The state before, or nil: no such object, or no such move.
local function step(name, state)
  local from = redis.call('HGET', name, 'state')
  if not from or not MOVES[from][state] then return nil end
  redis.call('HSET', name, 'state', state)
  bump(name)
  return from
end

local function move(job, state)
  local from = step(job, state)
  if not from then return false end
  tally(from, -1)
  tally(state, 1)
  return true
end

local function finish(name, id, code, detail)
  redis.call('HSET', name, 'finished', NOW)
  if code then redis.call('HSET', name, 'error_code', code, 'error_detail', detail) end
  for _, used in ipairs(redis.call('HMGET', name, 'model_id', 'samples_id', 'auxiliary_id', 'surrogate_id')) do
    if used then redis.call('SREM', key('using', used), id) end
  end
  end_unit(id)
end

-- Audits: their jobs are counted down. The end of the last one lets the next phase
-- begin, or starts the report, or ends what has nothing to report.

local function jobs_of(audit) return cjson.decode(redis.call('HGET', audit, 'jobs') or '[]') end

local function end_audit(tenant, id, state, code, detail)
  local audit = object(tenant, 'audit', id)
  if not step(audit, state) then return end
  redis.call('SREM', key('t', tenant, 'audits'), id)
  finish(audit, id, code, detail)
  lapse(tenant, 'audit', id)
  for _, job in ipairs(jobs_of(audit)) do lapse(tenant, 'job', job.id) end -- its jobs live as long as it does
end

local function after_phase(tenant, id)
  local found = hash(object(tenant, 'audit', id))
  if found.cancel then
    end_audit(tenant, id, 'cancelled')
  elseif found.ended_succeeded then
    local is_last = tonumber(found.phase or 1) >= tonumber(found.phases or 1)
    begin(tenant, id, 'audit', found.queue, {{work = is_last and 'report' or 'advance', total = 1}})
  elseif found.fault_code then
    end_audit(tenant, id, 'failed', found.fault_code, found.fault_detail)
  else
    end_audit(tenant, id, found.state == 'queued' and found.ended_expired and 'expired' or 'cancelled')
  end
end

local function count_down(tenant, id, state, code, detail)
  local audit = object(tenant, 'audit', id)
  redis.call('HINCRBY', audit, 'ended_' .. state, 1)
  if code then redis.call('HSET', audit, 'fault_code', code, 'fault_detail', detail) end
  if redis.call('HINCRBY', audit, 'live', -1) == 0 then after_phase(tenant, id) end
end

local function end_job(tenant, id, state, code, detail)
  local job = object(tenant, 'job', id)
  if not move(job, state) then return end
  finish(job, id, code, detail)
  local audit = redis.call('HGET', job, 'audit')
  if audit then count_down(tenant, audit, state, code, detail) else lapse(tenant, 'job', id) end
end

local function refuse_model(tenant, id, code, detail)
  local model = object(tenant, 'model', id)
  redis.call('HSET', model, 'state', 'refused', 'refusal_code', code, 'refusal_detail', detail)
  bump(model)
  end_unit(id)
  let_go(tenant, id)
  record(tenant, id, OBJECT + redis.call('HSTRLEN', model, 'card') + #detail)
  lapse(tenant, 'model', id)
end

-- Of a model it is said that its file is at fault, whoever died of it; but not where somebody took its process away.
local BLAMED = {internal = 'model_invalid', model_fault = 'model_invalid', worker_lost = 'unavailable'}

local function end_model(tenant, id, state, code, detail)
  if state ~= 'succeeded' then return refuse_model(tenant, id, BLAMED[code] or code, detail) end
  redis.call('HSET', object(tenant, 'model', id), 'state', 'ready')
  end_unit(id)
end

-- How each kind of subject ends with its work: (tenant, id, state, code, detail).
local ENDS = {model = end_model, job = end_job, audit = end_audit}

-- After a chunk has come back without its result: the attempts decide.
local function put_back(unit, id, chunk, is_spent, code, detail)
  redis.call('ZREM', key('leases'), spot(id, chunk))
  redis.call('HDEL', key('unit', id, 'live'), chunk)
  if unit.cancel then
    if not is_leased(id) then ENDS[unit.subject](unit.tenant, id, 'cancelled') end
  elseif is_spent then
    ENDS[unit.subject](unit.tenant, id, 'failed', code, detail)
  else
    send(id, chunk)
    if unit.subject == 'job' then bump(object(unit.tenant, 'job', id)) end
  end
end

local function attempts_spent(id, chunk)
  return tonumber(redis.call('HGET', key('unit', id, 'chunks'), 'attempts:' .. chunk) or 0) >= LIMITS.max_attempts
end

-- Beginnings and removals.

local function is_there(tenant, kind, id) -- the model or samples may have been removed since the admission
  local name = object(tenant, kind, id)
  if kind == 'model' then return redis.call('HGET', name, 'state') == 'ready' end
  return exists(name)
end

local function can_use(tenant, model_id, ...)
  for _, samples_id in ipairs({...}) do
    if not is_there(tenant, 'samples', samples_id) then return false end
  end
  return is_there(tenant, 'model', model_id)
end

-- A queued job from its ARGV description, a property's without samples; `audit`: the one it belongs to, if any, which
-- keeps it from being removed.
local function queue_job(tenant, asked, audit)
  local job = object(tenant, 'job', asked.id)
  redis.call('HSET', job, 'state', 'queued', 'version', 1, 'created', NOW, 'changed', NOW, 'spec', asked.spec,
    'request', asked.request, 'method_version', asked.method_version, 'shape', asked.shape,
    'model_id', asked.model_id, 'samples_total', asked.samples_total,
    'chunk_size', asked.chunk_size, 'chunks_at_once', asked.chunks_at_once, 'seconds', asked.seconds,
    'samples_done', 0, 'queries', 0, 'gradients', 0)
  if asked.hints then redis.call('HSET', job, 'hints', asked.hints) end
  record(tenant, asked.id, OBJECT + #asked.spec + #asked.request)
  tally('queued', 1)
  list(tenant, 'job', asked.id)
  redis.call('SADD', key('using', asked.model_id), asked.id)
  for _, used in ipairs({'samples_id', 'auxiliary_id', 'surrogate_id'}) do
    if asked[used] then
      redis.call('HSET', job, used, asked[used])
      redis.call('SADD', key('using', asked[used]), asked.id)
    end
  end
  if audit then
    redis.call('HSET', job, 'audit', audit, 'owner', object(tenant, 'audit', audit))
    redis.call('SADD', key('using', asked.id), audit)
  end
  redis.call('ZADD', key('deadlines'), STEADY + LIMITS.queue_ms, asked.id)
  begin(tenant, asked.id, 'job', asked.queue, asked.stages)
end

-- The jobs of an audit's next phase, the first one included; a later one may have none.
local function begin_phase(tenant, id, jobs)
  local audit = object(tenant, 'audit', id)
  local names = jobs_of(audit)
  for _, job in ipairs(jobs) do table.insert(names, {id = job.id, method = job.method}) end
  redis.call('HSET', audit, 'jobs', cjson.encode(names), 'live', #jobs)
  redis.call('HINCRBY', audit, 'phase', 1)
  for _, job in ipairs(jobs) do queue_job(tenant, job, id) end
  if #jobs == 0 then after_phase(tenant, id) end -- nothing was left to try
end

-- A job that nobody computes ends at once; others get the flag, which their workers meet at the next beat.
local function cancel(tenant, id)
  if not is_leased(id) then
    end_job(tenant, id, 'cancelled')
  elseif redis.call('HSETNX', key('unit', id), 'cancel', NOW) == 1 then
    redis.call('ZADD', key('deadlines'), STEADY + LIMITS.cancel_ms, id)
    bump(object(tenant, 'job', id))
  end
end

local function forget(tenant, kind, id)
  local once = redis.call('HGET', object(tenant, kind, id), 'once')
  if once then redis.call('DEL', key('t', tenant, 'idempotency', once)) end
  redis.call('DEL', object(tenant, kind, id), key('t', tenant, kind, id, 'chunks'), key('using', id))
  redis.call('ZREM', key('t', tenant, 'list', kind), id)
  redis.call('ZREM', key('expiries'), tenant .. ' ' .. kind .. ' ' .. id)
  let_go(tenant, id)
end

local function remove(tenant, kind, id)
  if kind == 'job' then
    end_job(tenant, id, 'cancelled')
  elseif kind == 'audit' then
    local jobs = jobs_of(object(tenant, 'audit', id))
    redis.call('HSET', object(tenant, 'audit', id), 'cancel', NOW)
    for _, job in ipairs(jobs) do end_job(tenant, job.id, 'cancelled') end
    end_audit(tenant, id, 'cancelled')
    for _, job in ipairs(jobs) do forget(tenant, 'job', job.id) end
  else
    end_unit(id)
  end
  forget(tenant, kind, id)
end
