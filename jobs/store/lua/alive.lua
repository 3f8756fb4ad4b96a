-- A worker says that it lives, and is believed for two leases: also while the server is full, or it would seem dead.
write_when_full()
redis.call('SET', key('worker', ASK.id), ASK.record, 'PX', 2 * LIMITS.lease_ms)
redis.call('SADD', key('workers'), ASK.id)
return reply('ok')
