"""Units of work as the workers see them: taken, held by beats, committed, failed, released, reaped."""

from time import monotonic
from typing import Any, Literal

from audits.document.summary import AuditSummary
from audits.policy.verdict import Verdict
from jobs.record import Backlog, ChunkResult, Effects, JobSpec, Lease, Progress, QueueName, WorkerRecord
from jobs.states import JobState
from jobs.store.audits import Audits
from jobs.store.cards import accept
from jobs.store.connection import Reply, effects
from jobs.store.names import key
from jobs.summary import Preparation, Summary, summarize
from models.cards import Inspection, Limits, ModelCard


class Leases(Audits):
    def acquire(self, job_id: str, chunk: int, worker_id: str) -> Lease | None:
        """None: nothing to do here (done, ended, or another has it). The message is then simply acknowledged."""
        reply = self._call("acquire", id=job_id, chunk=chunk)
        if reply["status"] == "none":
            return None
        return _lease(reply, job_id, chunk, worker_id, self._settings.answer_seconds)

    def beat(self, lease: Lease, progress: Progress) -> Literal["go", "cancel", "lost"]:
        """Extends the lease. `cancel`: stop and commit what there is. `lost`: kill the runner, commit nothing."""
        reply = self._call("beat", **_standing(lease), progress=progress.model_dump_json())
        status: Literal["go", "cancel", "lost"] = reply["status"]
        return status

    def commit(self, lease: Lease, result: ChunkResult) -> tuple[bool, Effects]:
        """False: the lease stood no more. The last chunk's commit brings the summary and ends the job in one move."""
        reply = self._commit(lease, result, None)
        if reply["status"] == "last":
            reply = self._commit(lease, result, self._summary(lease, result))
        return _accepted(reply)

    def commit_preparation(self, lease: Lease, prepared: Preparation) -> tuple[bool, Effects]:
        """The job's chunks may begin. False: the lease stood no more."""
        if lease.spec is None:
            raise TypeError("this lease is not of a job")
        reply = self._call(
            "prepared",
            durable=True,
            **_standing(lease),
            prepared=prepared.model_dump_json(),
            digest=prepared.artifact,
            chunks=lease.spec.chunks,
        )
        return _accepted(accept(reply))

    def commit_inspection(self, lease: Lease, found: Inspection) -> tuple[bool, Effects]:
        """The model is ready. False: the lease stood no more."""
        if lease.model is None:
            raise TypeError("this lease is not of an inspection")
        card = lease.model.inspected(found).model_dump_json()
        return _accepted(self._call("inspected", durable=True, **_standing(lease), card=card))

    def refuse_model(self, lease: Lease, code: str, detail: str) -> tuple[bool, Effects]:
        """The inspection ended with a refusal; the bytes go at once. False: the lease stood no more."""
        return _accepted(self._call("inspected", durable=True, **_standing(lease), code=code, detail=detail))

    def commit_report(
        self, lease: Lease, verdict: Verdict, summary: AuditSummary, forms: dict[str, str]
    ) -> tuple[bool, Effects]:
        """The audit has ended. `forms`: name -> digest in the library. False: the lease stood no more."""
        reply = self._call(
            "reported",
            durable=True,
            **_standing(lease),
            verdict=verdict.model_dump_json(),
            summary=summary.model_dump_json(),
            forms=forms,
        )
        return _accepted(accept(reply))

    def fail(self, lease: Lease, code: str, detail: str, *, retry: bool, partial: ChunkResult | None = None) -> Effects:
        """`model_fault` is retried once at most, other codes until the attempts are spent; then the job is failed.

        `partial`: what was found before, kept if the job ends by this or is cancelled.
        """
        found = {} if partial is None else _result(partial)
        reply = self._call("fail", durable=True, **_standing(lease), code=code, detail=detail, retry=retry, **found)
        return effects(accept(reply))

    def release(self, lease: Lease) -> Effects:
        """Drain: the chunk can be taken again at once, and the attempt is not charged."""
        return effects(self._call("release", **_standing(lease)))

    def reserve(self, origin: str, limits: Limits, *, calls: int, hold: float) -> float:
        """Seconds until so many calls may go out to an origin, for any job. `hold`: it asked for a pause first."""
        reply = self._call(
            "reserve",
            origin=origin,
            calls=calls,
            hold=hold,
            per_second=limits.requests_per_second,
            burst=limits.burst,
        )
        return float(reply["seconds"])

    def reap(self) -> Effects:
        """One sweep: dead leases, lost messages, passed deadlines, spent lives. Call every second or two."""
        return effects(self._call("reap"))

    def worker_beat(self, worker_id: str, kind: QueueName, info: dict[str, Any]) -> None:
        """This worker lives, for two leases more."""
        record = WorkerRecord(id=worker_id, kind=kind, info=info)
        milliseconds = 2 * self._limits["lease_ms"]
        self._ask(
            ("SET", key("worker", worker_id), record.model_dump_json(), "PX", milliseconds),
            ("SADD", key("workers"), worker_id),
        )

    def live_workers(self) -> list[WorkerRecord]:
        (ids,) = self._ask(("SMEMBERS", key("workers")))
        names = sorted(ids)
        beats = self._ask(*(("GET", key("worker", name)) for name in names))
        gone = [name for name, beat in zip(names, beats, strict=True) if beat is None]
        if gone:
            self._ask(("SREM", key("workers"), *gone))
        return [WorkerRecord.model_validate_json(beat) for beat in beats if beat]

    def backlog(self) -> Backlog:
        jobs, waiting, running = self._ask(("HGETALL", key("jobs")), ("ZCARD", key("sent")), ("ZCARD", key("leases")))
        counts = {state: int(jobs.get(state, 0)) for state in JobState}
        return Backlog(jobs=counts, chunks_waiting=waiting, chunks_running=running)

    def counters(self) -> dict[str, int]:
        """Since the store was first used: stale_fences, lost_leases, resent_messages."""
        (counts,) = self._ask(("HGETALL", key("counters")))
        return {what: int(count) for what, count in counts.items()}

    def _commit(self, lease: Lease, result: ChunkResult, summary: Summary | None) -> Reply:
        reply = self._call(
            "commit",
            durable=True,
            **_standing(lease),
            **_result(result),
            summary=summary and summary.model_dump_json(),
        )
        return accept(reply)

    def _summary(self, lease: Lease, last: ChunkResult) -> Summary:
        """Told to be the last, we know that all other chunks are committed, and committed chunks do not change."""
        if lease.spec is None:
            raise TypeError("this lease is not of a job")
        (chunks,) = self._ask(("HGETALL", key("t", lease.tenant, "job", lease.job_id, "chunks")))
        results = {int(number): ChunkResult.model_validate_json(text) for number, text in chunks.items()}
        results[lease.chunk] = last
        return summarize(lease.spec, [results[number] for number in sorted(results)], lease.prepared)


def _standing(lease: Lease) -> dict[str, Any]:
    return {"id": lease.job_id, "chunk": lease.chunk, "fence": lease.fence}


def _result(result: ChunkResult) -> dict[str, Any]:
    return {
        "result": result.model_dump_json(),
        "digest": result.adversarials,
        "samples_done": len(result.findings),
        "queries": result.queries,
        "gradients": result.gradients,
    }


def _accepted(reply: Reply) -> tuple[bool, Effects]:
    return reply["status"] == "ok", effects(reply)


def _lease(reply: Reply, job_id: str, chunk: int, worker_id: str, seconds: float) -> Lease:
    spec = JobSpec.model_validate_json(reply["spec"]) if "spec" in reply else None
    return Lease(
        tenant=reply["tenant"],
        job_id=job_id,
        chunk=chunk,
        fence=reply["fence"],
        attempt=reply["attempt"],
        worker_id=worker_id,
        work=reply["work"],
        spec=spec,
        sealed=reply.get("sealed"),
        model=spec.model if spec else ModelCard.model_validate_json(reply["card"]) if "card" in reply else None,
        prepared=Preparation.model_validate_json(reply["prepared"]) if "prepared" in reply else None,
        indices=spec.rows(chunk) if spec and reply["work"] == "run" else (),
        deadline=monotonic() + reply.get("milliseconds_left", seconds * 1000) / 1000,
    )
