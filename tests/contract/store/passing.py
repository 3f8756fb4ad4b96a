"""Time that passes for the store without anybody waiting for it, so that no test depends on how fast a machine is."""

from collections.abc import Callable

import redis

After = Callable[[float], None]

# Atomic, as threads may be at work: all times of the scripts are milliseconds since 1970 in sorted sets, hashes and
# buckets; a life ends where its key's would have.
PASS = """
local ms = tonumber(ARGV[1])
local function is_time(value) return tonumber(value) and tonumber(value) > 1e12 end
for _, name in ipairs(redis.call('KEYS', '{brinell}:*')) do
  local life = redis.call('PTTL', name)
  if life >= 0 and life <= ms then
    redis.call('DEL', name)
  else
    local kind = redis.call('TYPE', name).ok
    if kind == 'zset' then
      for _, member in ipairs(redis.call('ZRANGE', name, 0, -1)) do
        if is_time(redis.call('ZSCORE', name, member)) then redis.call('ZINCRBY', name, -ms, member) end
      end
    elseif kind == 'hash' then
      local flat = redis.call('HGETALL', name)
      for i = 1, #flat, 2 do
        if is_time(flat[i + 1]) then redis.call('HSET', name, flat[i], string.format('%.0f', flat[i + 1] - ms)) end
      end
    elseif kind == 'string' and is_time(redis.call('GET', name)) then
      redis.call('SET', name, string.format('%.3f', redis.call('GET', name) - ms), 'KEEPTTL')
    end
    if life >= 0 then redis.call('PEXPIRE', name, life - ms) end
  end
end
"""


def pass_time(redis_url: str, seconds: float) -> None:
    """Let everything that the store wrote down have happened so many seconds earlier."""
    with redis.Redis.from_url(redis_url) as server:
        server.eval(PASS, 0, round(seconds * 1000))
