"""Where the truth is: every fact about keys, models, samples and jobs is in Redis, and only this class knows where.

Every compound move is one Lua script (`jobs/store/lua/`, each with those of `SHARED` in front), so it happens
wholly or not at all, and safely twice. Time is the server's. All keys share the hash tag `{brinell}`, so all of them
live in one slot; `t:T` are the keys of tenant T, and no method finds an object except under its tenant.

    layout                     string  number of this layout (`layouts/layout.py`)
    keys                       hash    key id -> KeyRecord; `keys:used` id -> last use; `keys:touched:ID` for a minute
    t:T:model:ID               hash    card, state, version, refusal_code, refusal_detail, sealed; and of any object
                                       `once`, the digest of its idempotency key
    t:T:samples:ID             hash    card
    t:T:job:ID                 hash    state, version, spec, request, method_version, ids of what it uses, shape,
                                       prepared, summary, error_*, times, sums of chunks, chunk_size, chunks_at_once
    t:T:job:ID:chunks          hash    chunk -> ChunkResult: written once; of chunks in a row by the first of them
    t:T:audit:ID               hash    state, version, spec, jobs, live and ended_* (counts of jobs), phase, phases …
    t:T:list:KIND              zset    ids in the order of their making (`sequence`)
    t:T:idempotency:DIGEST     hash    fingerprint, id: for 24 hours, or until the object is gone
    t:T:turns                  string  when (ms) its bucket of requests is full again; gone a second later
    t:T:waiting:WINDOW         zset    units of work not yet admitted, first come first served
    t:T:active:WINDOW          set     units admitted: at most `jobs_in_flight`
    turns:QUEUE                zset    tenants with chunks in line there, who has had no turn for longest first
    t:T:line:QUEUE             zset    ID/CHUNK in the order in which their messages were sent: those of `sent`
    unit:ID                    hash    tenant, subject (model, job or audit), queue, cancel; of its stage: work (kind),
                                       total, next, done; later: the stages after it; window, where not its subject;
                                       spec, seconds of work on a model. Gone at the end of all work
    unit:ID:uses               set     ids of what the work on a model uses
    unit:ID:out                set     chunks admitted and not committed: at most `chunks_in_flight`
    unit:ID:chunks             hash    fence:N, attempts:N, faults:N, taken:N, sent:N of those chunks; width:N, where
                                       a lease is about so many in a row, of which `out` names the first
    unit:ID:live               hash    chunk -> Progress of the last beat
    using:ID                   set     live jobs, audits and models in the making that use this model or these samples;
                                       the audit of a job
    leases, sent               zset    ID/CHUNK by the time at which its lease dies, its message counts as lost
    deadlines                  zset    unit by the time at which it is given up: queued, running, cancelling
    expiries                   zset    "tenant kind id" by the time at which an ended object is forgotten
    holders:SHA                set     who holds these bytes
    holds:ID                   hash    digest -> bytes, of what this object holds; `room` of an upload that is on its
                                       way; `record` of what the object takes in here
    t:T:kept                   hash    sums of those: library, records
    t:T:audits                 set     live audits
    unmeasured                 set     "tenant id digest" of what was held before bytes were counted
    doomed                     zset    digests that nobody holds, until somebody says that the bytes are deleted
    origin:ORIGIN              string  when (ms) its bucket of turns is full again; gone a second later
    clock                      hash    at: the server's time (ms) at the last sweep; back: by how much it was set back
    ping                       string  that Redis takes writes; gone a second later
    workers, worker:ID         set, string that lives as long as the worker beats
    jobs                       hash    state -> jobs that are in it (ended states: ever were)
    counters, sequence         hash, number

Ended jobs and refused models live `result_ttl_seconds`; ready models and samples until they are removed.
"""

from datetime import UTC, datetime
from typing import final

from jobs.installation.settings import Settings
from jobs.states import JobState
from jobs.store.connection.connection import PATIENCE_SECONDS, Connection
from jobs.store.moves import Moves
from jobs.store.names import key
from jobs.store.sections.findings import Findings
from jobs.store.sections.holdings import Holdings
from jobs.store.sections.jobs import Jobs
from jobs.store.sections.keys import Keys
from jobs.store.sections.leases import Leases
from jobs.store.sections.models import Models
from jobs.store.sections.objects import Objects
from jobs.store.sections.samples import KeptSamples
from jobs.store.sections.turns import Turns
from jobs.store.sections.usage import TenantUsage
from jobs.store.sections.workers import Workers
from jobs.work.queue import Queue
from models.library import Library
from models.record import Record


class Backlog(Record):
    """The backlog is how much there is to do. `jobs` by state; of ended states it counts all that ever came there."""

    jobs: dict[JobState, int]
    chunks_waiting: int  # messages that no worker has taken
    chunks_running: int


@final
class Store:
    """Puts the sections of the store together, on one connection.

    Every method on an object takes the tenant first; an unknown id and another tenant's id are both NotFound. All
    methods raise Unavailable(retry_after) while Redis cannot be reached.
    """

    def __init__(
        self, settings: Settings, queue: Queue, library: Library, *, patience: float = PATIENCE_SECONDS
    ) -> None:
        """`patience`: seconds until Redis counts as silent."""
        connection = self.connection = Connection(settings, patience=patience)
        self.moves = Moves(connection, queue, library)
        self.objects = Objects(self.moves)
        self.holdings = Holdings(self.moves, library)
        self.keys = Keys(connection)
        self.models = Models(self.moves, self.objects)
        self.samples = KeptSamples(connection, self.objects)
        self.jobs = Jobs(self.moves, self.objects)
        self.findings = Findings(connection, library)
        self.leases = Leases(self.moves, self.holdings)
        self.workers = Workers(connection)
        self.turns = Turns(connection)
        self.usage = TenantUsage(connection)

    def ping(self) -> None:
        """Asks Redis whether it lives, and takes what is new. Raises Unavailable, OutOfRoom."""
        self.connection.ask(("SET", key("ping"), 1, "PX", 1000))

    def server_time(self) -> datetime:
        """Tells the time of Redis, which all others are compared with."""
        ((seconds, microseconds),) = self.connection.ask(("TIME",))
        return datetime.fromtimestamp(int(seconds) + int(microseconds) / 1e6, UTC)

    def backlog(self) -> Backlog:
        """Counts what there is to do."""
        jobs, waiting, running = self.connection.ask(
            ("HGETALL", key("jobs")), ("ZCARD", key("sent")), ("ZCARD", key("leases"))
        )
        counts = {state: int(jobs.get(state, 0)) for state in JobState}
        return Backlog(jobs=counts, chunks_waiting=waiting, chunks_running=running)

    def counters(self) -> dict[str, int]:
        """Counts stale_fences, lost_leases and resent_messages since the store was first used."""
        (counts,) = self.connection.ask(("HGETALL", key("counters")))
        return {what: int(count) for what, count in counts.items()}
