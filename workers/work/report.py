"""report: the one document that an audit leaves, in all its forms. No model and no runner is near it."""

from jobs.lease import Lease
from workers.endings import Ending, Reported
from workers.kind import Desk, WorkKind


def supervise(lease: Lease, desk: Desk) -> Ending:
    from workers.supervisor import reporting  # it reads audits and the store, which no runner may meet

    report = reporting.compose_report(lease.tenant, lease.job_id, store=desk.store, library=desk.library)
    forms = {form: desk.keep(data) for form, data in reporting.rendered(report)}
    return Reported(*reporting.told(report), forms)


KIND = WorkKind(supervise=supervise, apology="The service failed to write the report; start the audit again.")
