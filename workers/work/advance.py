"""advance: the next phase of an audit, whose jobs begin where those before them ended. No model is near it."""

from jobs.work.lease import AuditLease, Commit
from workers.endings import Done, Ending
from workers.kind import Desk, WorkKind


def supervise(lease: AuditLease, desk: Desk) -> Ending:
    from workers import advancing  # it reads audits and the store, which no runner may meet

    jobs = advancing.next_phase(lease.tenant, lease.subject_id, store=desk.store, library=desk.library, keep=desk.keep)
    digests = {job.hints.digest for job in jobs if job.hints}
    return Done(Commit(jobs=jobs, digests=tuple(sorted(digests))))


KIND = WorkKind(
    lease=AuditLease,
    supervise=supervise,
    apology="The service failed to begin the audit's next phase; start the audit again.",
)
