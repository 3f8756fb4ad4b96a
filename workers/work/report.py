"""report: the one document that an audit leaves, in all its forms. No model and no runner is near it."""

import json

from jobs.work.lease import AuditLease, Commit
from workers.endings import Done, Ending
from workers.kind import Desk, WorkKind


def supervise(lease: AuditLease, desk: Desk) -> Ending:
    from workers import reporting

    report = reporting.compose_report(lease.tenant, lease.subject_id, store=desk.store, library=desk.library)
    forms = {form: desk.keep(data) for form, data in reporting.rendered(report)}
    return Done(Commit(fields={**reporting.told(report), "forms": json.dumps(forms)}, digests=tuple(forms.values())))


KIND = WorkKind(
    lease=AuditLease,
    supervise=supervise,
    apology="The service failed to write the report; start the audit again.",
)
