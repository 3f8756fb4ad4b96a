"""Where the truth is: every fact about keys, models, samples and jobs is in Redis, and only this class knows where.

Every compound move is one Lua script (`jobs/store/lua/`, each with `moves.lua` and `ends.lua` in front), so it happens
wholly or not at all, and safely twice. Time is the server's. All keys share the hash tag `{brinell}`, so all of them
live in one slot; `t:T` are the keys of tenant T, and no method finds an object except under its tenant.

    keys                       hash    key id -> KeyRecord; `keys:used` id -> last use; `keys:touched:ID` for a minute
    t:T:model:ID               hash    card, state, version, refusal_code, refusal_detail, sealed
    t:T:samples:ID             hash    card
    t:T:job:ID                 hash    state, version, spec, request, prepared, summary, error_*, times, sums of chunks
    t:T:job:ID:chunks          hash    chunk -> ChunkResult: written once
    t:T:audit:ID               hash    state, version, spec, jobs, live and ended_* (counts of jobs), verdict, forms …
    t:T:list:KIND              zset    ids in the order of their making (`sequence`)
    t:T:idempotency:DIGEST     hash    fingerprint, id: for 24 hours, means nothing once the object is gone
    t:T:turns                  string  when (ms) its bucket of requests is full again; gone a second later
    t:T:waiting:WORK           zset    units of work not yet admitted, first come first served
    t:T:active:WORK            set     units admitted: at most `jobs_in_flight`
    unit:ID                    hash    tenant, work, stage (while it is not its work's last one), queue, total, next,
                                       done, cancel; gone at the end of its work
    unit:ID:out                set     chunks admitted and not committed: at most `chunks_in_flight`
    unit:ID:chunks             hash    fence:N, attempts:N, faults:N, sent:N of those chunks
    unit:ID:live               hash    chunk -> Progress of the last beat
    using:ID                   set     live jobs and audits that use this model or these samples; the audit of a job
    leases, sent               zset    ID/CHUNK by the time at which its lease dies, its message counts as lost
    deadlines                  zset    unit by the time at which it is given up: queued, running, cancelling
    expiries                   zset    "tenant kind id" by the time at which an ended object is forgotten
    holders:SHA, holds:ID      set     who holds these bytes; which bytes this object holds
    doomed                     zset    digests that nobody holds, until somebody says that the bytes are deleted
    origin:ORIGIN              string  when (ms) its bucket of turns is full again; gone a second later
    workers, worker:ID         set, string that lives as long as the worker beats
    jobs                       hash    state -> jobs that are in it (ended states: ever were)
    counters, sequence         hash, number

Ended jobs and refused models live `result_ttl_seconds`; ready models and samples until they are removed.
"""

from datetime import UTC, datetime
from typing import final

from jobs.store.access_keys import AccessKeys
from jobs.store.leases import Leases


@final
class Store(AccessKeys, Leases):
    """Every method on an object takes the tenant first; an unknown id and another tenant's id are both NotFound.

    All methods raise Unavailable(retry_after) while Redis cannot be reached. `Effects` want to be settled
    (`jobs/effects.py`).
    """

    def ping(self) -> None:
        self._ask(("PING",))

    def server_time(self) -> datetime:
        ((seconds, microseconds),) = self._ask(("TIME",))
        return datetime.fromtimestamp(int(seconds) + int(microseconds) / 1e6, UTC)
