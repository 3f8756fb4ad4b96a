"""Audits as their callers see them: created with their first jobs, read, listed, cancelled, removed."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from audits.asking.admission import AuditPlan
from audits.asking.record import Audit, AuditJob, AuditSpec
from audits.document.report import Skipped
from audits.document.summary import AuditSummary
from audits.document.verdict import Verdict
from jobs.idempotency import Idempotency
from jobs.page import Page
from jobs.record import Job, JobError, Progress
from jobs.states import TERMINAL, JobState
from jobs.store import specs
from jobs.store.names import checked, found, key, new_id
from jobs.store.sections.jobs import described, moment
from jobs.store.sections.objects import as_argument
from jobs.store.store import Store

KEPT_ELSEWHERE = {"request", "skipped", "model", "samples"}  # in fields of the audit, and in their own cards
AUDIT_FIELDS = (
    *("state", "request", "skipped", "jobs", "created", "started", "finished"),
    *("verdict", "summary", "forms", "error_code", "error_detail", "draft", "planned"),
)
TELLING = 0.03  # of an audit's progress: from here on its pace means something
OVER = TERMINAL - {JobState.CANCELLED}  # nothing of such a job is left to do; a cancelled one stopped where it was
REPORT_SHARE = 0.01  # of an audit's progress that is left when its last job has ended


class Audits:
    """Keeps audits beside their jobs, on the connection of the jobs' store."""

    def __init__(self, store: Store) -> None:
        self._moves, self._objects, self._jobs = store.moves, store.objects, store.jobs
        self._models, self._samples = store.models, store.samples

    def create(self, tenant: str, plan: AuditPlan, idempotency: Idempotency | None = None) -> Audit:
        """Makes a queued audit with the jobs of its first phase, or returns the one made before with this key.

        Raises what `Jobs.create` raises.
        """
        audit_id, spec = new_id("audit"), plan.spec
        reply = self._moves.make(
            "create_audit",
            durable=True,
            tenant=tenant,
            id=audit_id,
            model_id=checked(spec.model.id, "model"),
            samples_id=checked(spec.samples.id, "samples"),
            spec=spec.model_dump_json(exclude=KEPT_ELSEWHERE | specs.said_twice(spec.indices, spec.request.samples)),
            request=spec.request.model_dump_json(),
            skipped=json.dumps([skip.model_dump() for skip in spec.skipped]),
            queue=spec.queue,
            baseline=spec.baseline,
            baseline_id=spec.request.baseline_audit_id,
            draft=1 if spec.draft else None,
            jobs=[described(job, self._moves.connection.settings) for job in plan.jobs],
            phases=plan.phases,
            planned=plan.planned,
            idempotency=as_argument(idempotency),
        )
        return self.get(tenant, reply.get("id", audit_id))

    def get(self, tenant: str, audit_id: str) -> Audit:
        """Returns an audit as it stands. Raises NotFound."""
        (audit,) = self._load(tenant, [checked(audit_id, "audit")])
        return found(audit)

    def spec(self, tenant: str, audit_id: str) -> AuditSpec:
        """Returns what was admitted, cards included. Raises NotFound, also once model or samples are removed."""
        fields = self._some(tenant, audit_id, "spec", "request", "skipped", "model_id", "samples_id")
        spec, request, skipped, model_id, samples_id = (found(field) for field in fields)
        told, asked = json.loads(spec), json.loads(request)
        elsewhere = {
            "request": asked,
            "indices": specs.rows(told, asked),
            "skipped": json.loads(skipped),
            "model": self._models.get(tenant, model_id),
            "samples": self._samples.get(tenant, samples_id),
        }
        return AuditSpec.model_validate(told | elsewhere)

    def phases_begun(self, tenant: str, audit_id: str) -> int:
        """Counts the phases whose jobs have been made."""
        return int(self._objects.field(tenant, checked(audit_id, "audit"), "phase"))

    def page(
        self, tenant: str, state: JobState | None = None, cursor: str | None = None, limit: int = 100
    ) -> Page[Audit]:
        """Lists the tenant's audits, newest first; `state` None: all."""

        def load(ids: Sequence[str]) -> list[Audit | None]:
            every = self._load(tenant, ids)
            return [audit if audit and state in (None, audit.state) else None for audit in every]

        return self._objects.page(tenant, "audit", cursor, limit, load)

    def cancel(self, tenant: str, audit_id: str) -> Audit:
        """Cancels an audit's jobs; it ends with the last of them. Leaves an ended one as it is."""
        self._moves.make("cancel_audit", durable=True, tenant=tenant, id=checked(audit_id, "audit"))
        return self.get(tenant, audit_id)

    def remove(self, tenant: str, audit_id: str) -> None:
        """Removes an audit with its jobs, a live one after cancelling it. Raises NotFound."""
        self._objects.remove(tenant, "audit", audit_id)

    def verdict(self, tenant: str, audit_id: str) -> Verdict:
        """Returns the verdict in one read: None, and without rules, while the audit runs or where it could not."""
        state, verdict = self._some(tenant, audit_id, "state", "verdict")
        found(state)
        return Verdict.model_validate_json(verdict) if verdict else Verdict(verdict=None)

    def report_forms(self, tenant: str, audit_id: str) -> dict[str, str]:
        """Returns {form: digest in the library}; empty where there is no report (yet)."""
        state, forms = self._some(tenant, audit_id, "state", "forms")
        found(state)
        return dict(json.loads(forms)) if forms else {}

    def _some(self, tenant: str, audit_id: str, *fields: str) -> list[str | None]:
        name = key("t", tenant, "audit", checked(audit_id, "audit"))
        (row,) = self._moves.connection.ask(("HMGET", name, *fields))
        return list(row)

    def _load(self, tenant: str, ids: Sequence[str]) -> list[Audit | None]:
        """Three round trips, however many there are."""
        answers = self._moves.connection.ask(*(("HMGET", key("t", tenant, "audit", i), *AUDIT_FIELDS) for i in ids))
        rows = [dict(zip(AUDIT_FIELDS, answer, strict=True)) for answer in answers]
        named = [json.loads(row["jobs"] or "[]") for row in rows]
        loaded = iter(self._jobs.load(tenant, [job["id"] for jobs in named for job in jobs]))
        return [
            _audit(audit_id, row, jobs, list(islice(loaded, len(jobs))))
            for audit_id, row, jobs in zip(ids, rows, named, strict=True)
        ]


def _audit(audit_id: str, row: dict[str, Any], named: list[dict[str, str]], jobs: list[Job | None]) -> Audit | None:
    if row["state"] is None:
        return None
    there = [(name, job) for name, job in zip(named, jobs, strict=True) if job]
    verdict = Verdict.model_validate_json(row["verdict"]).verdict if row["verdict"] else None
    return Audit(
        id=audit_id,
        state=JobState(row["state"]),
        request=json.loads(row["request"]),
        jobs=tuple(AuditJob(job_id=job.id, method=name["method"], state=job.state) for name, job in there),
        skipped=tuple(Skipped.model_validate(skip) for skip in json.loads(row["skipped"])),
        progress=_progress(row, [job for _, job in there]),
        verdict=verdict,
        summary=AuditSummary.model_validate_json(row["summary"]) if row["summary"] else None,
        report_ready=row["forms"] is not None,
        draft=row["draft"] is not None,
        error=JobError(code=row["error_code"], detail=row["error_detail"]) if row["error_code"] else None,
        created_at=moment(row["created"]),
        started_at=moment(row["started"]) if row["started"] else None,
        finished_at=moment(row["finished"]) if row["finished"] else None,
    )


def _progress(row: dict[str, Any], jobs: Sequence[Job]) -> Progress:
    """Samples of all jobs together. Each job counts alike: nobody knows beforehand which will take longest.

    Those of later phases, which are not made yet, count as not begun.
    """
    expected = max(1, len(jobs), int(row["planned"] or 0))
    done = sum(1.0 if job.state in OVER else job.progress.fraction for job in jobs) / expected
    fraction = 1.0 if row["forms"] else (1 - REPORT_SHARE) * done
    return Progress(
        samples_done=sum(job.progress.samples_done for job in jobs),
        samples_total=sum(job.progress.samples_total for job in jobs),
        queries=sum(job.progress.queries for job in jobs),
        gradients=sum(job.progress.gradients for job in jobs),
        fraction=fraction,
        eta_seconds=_eta(row, fraction, [job.progress.eta_seconds or 0.0 for job in jobs]),
    )


def _eta(row: dict[str, Any], fraction: float, of_jobs: Sequence[float]) -> float | None:
    """As if what is left went at the pace of what is done; a few per cent are no pace yet.

    No less than any running job's own estimate: the last one is often the longest.
    """
    if JobState(row["state"]) in TERMINAL or not row["started"] or fraction < TELLING:
        return None
    seconds = (datetime.now(UTC) - moment(row["started"])).total_seconds()
    return max(0.0, seconds * (1 - fraction) / fraction, *of_jobs)
