-- What an object holds, and with how many bytes: digests of the library, each of which lives as long as one owner holds
-- it; ROOM for an upload that is on its way; RECORD, what it takes in here. A tenant's sums are in `kept`.

local ROOM, RECORD = 'room', 'record'
local OBJECT = 800 -- bytes of an object's keys, times and sums beside its texts, more or less

local function held(owner, thing) return tonumber(redis.call('HGET', key('holds', owner), thing) or 0) end

local function weigh(tenant, owner, thing, bytes)
  local more = bytes - held(owner, thing)
  redis.call('HSET', key('holds', owner), thing, bytes)
  redis.call('HINCRBY', key('t', tenant, 'kept'), thing == RECORD and 'records' or 'library', more)
end

local function record(tenant, owner, bytes) -- so many more
  weigh(tenant, owner, RECORD, held(owner, RECORD) + bytes)
end

-- `bytes`: left out for what is held already.
local function hold(tenant, owner, digest, bytes)
  if redis.call('ZSCORE', key('doomed'), digest) then return false end -- its bytes are being deleted right now
  redis.call('SADD', key('holders', digest), owner)
  weigh(tenant, owner, digest, bytes or held(owner, digest))
  return true
end

local function give_up(tenant, owner, thing, bytes)
  redis.call('HINCRBY', key('t', tenant, 'kept'), thing == RECORD and 'records' or 'library', -bytes)
  if thing ~= RECORD and thing ~= ROOM then
    redis.call('SREM', key('holders', thing), owner)
    if not exists(key('holders', thing)) then
      redis.call('ZADD', key('doomed'), STEADY, thing)
      table.insert(digests, thing)
    end
  end
  redis.call('HDEL', key('holds', owner), thing)
end

local function let_go(tenant, owner)
  for thing, bytes in pairs(hash(key('holds', owner))) do give_up(tenant, owner, thing, bytes) end
end

-- What computing the chunk of ASK gave and cost.
local function keep_result(tenant, job)
  record(tenant, ASK.id, #ASK.result)
  redis.call('HSET', job .. ':chunks', ASK.chunk, ASK.result)
  for _, what in ipairs({'samples_done', 'queries', 'gradients'}) do redis.call('HINCRBY', job, what, ASK[what]) end
end
