"""Jobs as their callers see them: created, read, listed, cancelled, removed."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from algorithms.seam.claims import Finding
from jobs.record import ChunkResult, Effects, Idempotency, Job, JobError, JobSpec, Page, Progress
from jobs.request import JobRequest
from jobs.states import JobState
from jobs.store.cards import Cards, accept, as_argument, found
from jobs.store.connection import effects
from jobs.store.lists import place
from jobs.store.names import checked, key, kind_of, missing, new_id
from jobs.summary import Summary

JOB_FIELDS = (
    *("state", "request", "created", "started", "finished", "changed"),
    *("samples_total", "samples_done", "queries", "gradients"),
    *("summary", "error_code", "error_detail"),
)


class Records(Cards):
    def replayed(self, tenant: str, idempotency: Idempotency) -> str | None:
        """The id of what was first made with this key and is still there: ask before admission.

        Raises Refused(idempotency_key_reused).
        """
        (row,) = self._ask(("HMGET", key("t", tenant, "idempotency", idempotency.digest), "fingerprint", "id"))
        fingerprint, object_id = row
        if object_id is None or not self._exists(tenant, object_id):
            return None
        if fingerprint != idempotency.fingerprint:
            accept({"status": "reused"})
        return str(object_id)

    def create_job(self, tenant: str, spec: JobSpec, idempotency: Idempotency | None = None) -> tuple[Job, Effects]:
        """A queued job, or the one first made with this idempotency key. NotFound: its model or samples went away."""
        asked = self._described(spec)
        reply = self._call("create_job", durable=True, tenant=tenant, **asked, idempotency=as_argument(idempotency))
        accept(reply)
        return self.job(tenant, reply.get("id", asked["id"])), effects(reply)

    def _described(self, spec: JobSpec) -> dict[str, Any]:
        """A new job as the scripts take it."""
        most = self._settings.job_seconds
        return {
            "id": new_id("job"),
            "model_id": checked(spec.model.id, "model"),
            "samples_id": checked(spec.samples.id, "samples"),
            "spec": spec.model_dump_json(),
            "request": spec.request.model_dump_json(),
            "samples_total": len(spec.indices),
            "chunk_size": spec.chunk_size,
            "chunks": spec.chunks,
            "queue": spec.queue,
            "seconds": min(spec.request.budget.seconds or most, most),
            **({"auxiliary_id": checked(spec.auxiliary.id, "samples")} if spec.auxiliary else {}),
        }

    def job(self, tenant: str, job_id: str) -> Job:
        (job,) = self._load_jobs(tenant, [checked(job_id, "job")])
        return found(job)

    def spec(self, tenant: str, job_id: str) -> JobSpec:
        """What was admitted, cards included: it outlives the model and the samples."""
        return JobSpec.model_validate_json(self._field(tenant, checked(job_id, "job"), "spec"))

    def jobs(
        self, tenant: str, state: JobState | None = None, cursor: str | None = None, limit: int = 100
    ) -> Page[Job]:
        """Newest first; `state` None: all."""

        def load(ids: Sequence[str]) -> list[Job | None]:
            every = self._load_jobs(tenant, ids)
            return [job if job and state in (None, job.state) else None for job in every]

        return self._page(tenant, "job", cursor, limit, load)

    def cancel_job(self, tenant: str, job_id: str) -> tuple[Job, Effects]:
        """Ends a job that nobody computes at once, others within CANCEL_SECONDS; leaves an ended one as it is."""
        reply = accept(self._call("cancel_job", durable=True, tenant=tenant, id=checked(job_id, "job")))
        return self.job(tenant, job_id), effects(reply)

    def remove_job(self, tenant: str, job_id: str) -> Effects:
        """A live one is cancelled first."""
        return self._remove(tenant, "job", job_id)

    def findings(self, tenant: str, job_id: str, cursor: str | None = None, limit: int = 100) -> Page[Finding]:
        """In the order of the selection; of a live job those of the chunks that are committed by now."""
        items: list[Finding] = []
        for position, finding in self._findings_from(tenant, checked(job_id, "job"), place(cursor, start=0)):
            if len(items) == limit:
                return Page(items=tuple(items), next_cursor=str(position))
            items.append(finding)
        return Page(items=tuple(items))

    def adversarial_digests(self, tenant: str, job_id: str) -> list[str]:
        """Of the npz files {index, x, label} that the job's chunks left in the library, in the order of the chunks."""
        name = key("t", tenant, "job", checked(job_id, "job"))
        exists, chunks = self._ask(("EXISTS", name), ("HGETALL", f"{name}:chunks"))
        if not exists:
            raise missing()
        results = (ChunkResult.model_validate_json(chunks[i]) for i in sorted(chunks, key=int))
        return [result.adversarials for result in results if result.adversarials]

    def version(self, tenant: str, object_id: str) -> int:
        """Of a job, an audit or a model: grows with every change. A cheap read: `Prefer: wait` polls it and `state`."""
        return int(self._field(tenant, object_id, "version"))

    def state(self, tenant: str, object_id: str) -> str:
        """Of a job, an audit or a model, in one cheap read."""
        return self._field(tenant, object_id, "state")

    def _exists(self, tenant: str, object_id: str) -> bool:
        (is_there,) = self._ask(("EXISTS", key("t", tenant, kind_of(object_id), object_id)))
        return bool(is_there)

    def _field(self, tenant: str, object_id: str, field: str) -> str:
        (value,) = self._ask(("HGET", key("t", tenant, kind_of(object_id), object_id), field))
        return str(found(value))

    def _load_jobs(self, tenant: str, ids: Sequence[str]) -> list[Job | None]:
        rows = self._ask(*(("HMGET", key("t", tenant, "job", i), *JOB_FIELDS) for i in ids))
        lives = self._ask(*(("HVALS", key("unit", i, "live")) for i in ids))
        return [
            _job(job_id, dict(zip(JOB_FIELDS, row, strict=True)), live)
            for job_id, row, live in zip(ids, rows, lives, strict=True)
        ]

    def _findings_from(self, tenant: str, job_id: str, position: int) -> Iterator[tuple[int, Finding]]:
        name = key("t", tenant, "job", job_id)
        (row,) = self._ask(("HMGET", name, "chunk_size", "samples_total"))
        size, total = (int(found(value)) for value in row)
        wide = max(1, 1000 // size)  # chunks read at a time
        for first in range(position // size, -(-total // size), wide):
            numbers = range(first, first + wide)
            (chunks,) = self._ask(("HMGET", f"{name}:chunks", *numbers))
            for number, chunk in zip(numbers, chunks, strict=True):
                results = ChunkResult.model_validate_json(chunk).findings if chunk else ()
                yield from ((n, f) for n, f in enumerate(results, start=number * size) if n >= position)


def _job(job_id: str, row: dict[str, Any], live: list[str]) -> Job | None:
    if row["state"] is None:
        return None
    return Job(
        id=job_id,
        state=JobState(row["state"]),
        request=JobRequest.model_validate_json(row["request"]),
        progress=_progress(row, [Progress.model_validate(json.loads(text)) for text in live]),
        summary=Summary.model_validate_json(row["summary"]) if row["summary"] else None,
        error=JobError(code=row["error_code"], detail=row["error_detail"]) if row["error_code"] else None,
        created_at=moment(row["created"]),
        started_at=moment(row["started"]) if row["started"] else None,
        finished_at=moment(row["finished"]) if row["finished"] else None,
    )


def _progress(row: dict[str, Any], live: list[Progress]) -> Progress:
    """Committed chunks and what the others say they have done. The estimate assumes that all samples cost alike."""
    total, done = int(row["samples_total"]), int(row["samples_done"])
    fraction = min(1.0, (done + sum(p.fraction * p.samples_total for p in live)) / total)
    running = row["state"] == JobState.RUNNING
    seconds = (int(row["changed"]) - int(row["started"])) / 1000 if running else 0.0
    return Progress(
        samples_done=done + sum(p.samples_done for p in live),
        samples_total=total,
        queries=int(row["queries"]) + sum(p.queries for p in live),
        gradients=int(row["gradients"]) + sum(p.gradients for p in live),
        fraction=fraction,
        eta_seconds=seconds * (1 - fraction) / fraction if running and fraction > 0 else None,
    )


def moment(milliseconds: str) -> datetime:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
