"""Units of work as the workers see them: taken, held by beats, committed, failed, released."""

from dataclasses import replace
from time import monotonic
from typing import Any, Literal

from pydantic import ValidationError

from algorithms.errors import Refused
from algorithms.registry import version
from jobs.property import DECIDE
from jobs.record import Progress
from jobs.result import ChunkResult
from jobs.spec import JobSpec, QueueName
from jobs.store import specs
from jobs.store.connection.refusals import Reply
from jobs.store.details import shortened
from jobs.store.moves import Moves
from jobs.store.names import key
from jobs.store.sections.holdings import Holdings
from jobs.store.sections.jobs import described
from jobs.summary import Preparation, Summary, summarize, summarize_property
from jobs.work.lease import AuditLease, Commit, JobLease, Lease, ModelLease, PropertyLease
from models.cards import ModelCard

OUTDATED = (
    "This version of Brinell cannot read what the job asks for: another version took it, and its method, "
    "or a parameter of it, is gone. Ask again as /v1/methods says today."
)


class Leases:
    """Hands out the right to do a unit of work, and writes down how it ended while that right stands."""

    def __init__(self, moves: Moves, holdings: Holdings) -> None:
        self._moves, self._holdings = moves, holdings

    def acquire(
        self,
        subject_id: str,
        chunk: int,
        queue: QueueName | None = None,
        chunks: int = 1,
        *,
        again: str | None = None,
        runners: int = 1,
    ) -> Lease | None:
        """Leases one chunk, or returns None where there is nothing to do: done, ended, or another has it.

        `queue`: where the message that names the chunk came from; then whichever chunk has its turn there is leased,
        tenant by tenant, and the named one only where none stands in line. `chunks`: how many in a row the worker would
        take, where the job has as many that nobody has begun; they are one piece of work from then on. `again`: the
        tenant whose turn is not over at this worker, and goes on where more than `runners` tenants stand in line.

        A job that another version admitted, and this one cannot read, is given back with that reason; so it fails once
        its attempts are spent, unless a worker of that version takes it before.
        """
        reply = self._moves.make(
            "acquire", id=subject_id, chunk=chunk, queue=queue, chunks=chunks, again=again, runners=runners
        )
        if reply["status"] == "none":
            return None
        try:
            return _lease(reply)
        except (ValidationError, Refused):
            if reply["subject"] != "job":
                raise
            right = {name: reply[name] for name in ("id", "chunk", "fence")}
            self._moves.make("fail", durable=True, **right, code="outdated", detail=OUTDATED, retry=True)
            return None

    def beat(self, lease: Lease, progress: Progress) -> Literal["go", "cancel", "lost"]:
        """Extends the lease. `cancel`: stop and commit what there is. `lost`: kill the runner, commit nothing."""
        reply = self._moves.make("beat", **_standing(lease), progress=progress.model_dump_json())
        status: Literal["go", "cancel", "lost"] = reply["status"]
        return status

    def commit(self, lease: Lease, commit: Commit) -> bool:
        """Writes down what the work gave. The last of a subject's work ends it, a job with its summary, in one move.

        Returns whether the lease stood; where it did not, nothing was written.
        """
        if commit.result:
            commit = replace(commit, result=self._fitting(lease, commit.result))
        reply = self._commit(lease, commit, None)
        if reply["status"] == "last":
            reply = self._commit(lease, commit, self._summary(lease, commit))
        return bool(reply["status"] == "ok")

    def fail(self, lease: Lease, code: str, detail: str, *, retry: bool, partial: ChunkResult | None = None) -> None:
        """Gives a chunk back with the reason why it could not be done.

        `model_fault` is retried once at most, `worker_lost` nine times without being charged, other codes until the
        attempts are spent; then the subject has failed: a job or an audit with this reason, and a model is refused for
        it. Without `retry` that is so at once.
        `partial`: what had been found before, kept where the job ends by this, or is cancelled.
        """
        kept = _result(self._fitting(lease, partial)) if partial else {}
        self._moves.make("fail", durable=True, **_standing(lease), **kept, code=code, detail=detail, retry=retry)

    def release(self, lease: Lease) -> None:
        """Gives a chunk back because this worker goes: it can be taken at once, and the attempt is not charged."""
        self._moves.make("release", **_standing(lease))

    def _fitting(self, lease: Lease, result: ChunkResult) -> ChunkResult:
        """The result, with what is too large in its findings in the library, in the job's name."""
        findings = [
            shortened(finding, lambda part: self._holdings.put(lease.tenant, lease.subject_id, part))
            for finding in result.findings
        ]
        return result.model_copy(update={"findings": tuple(findings)})

    def _commit(self, lease: Lease, commit: Commit, summary: Summary | None) -> Reply:
        jobs = commit.jobs
        return self._moves.make(
            "commit",
            durable=True,
            **_standing(lease),
            **(_result(commit.result) if commit.result else {}),
            fields=commit.fields,
            digests=commit.digests,
            given_up=commit.given_up,
            goes_on=commit.goes_on,
            jobs=None if jobs is None else [described(job, self._moves.connection.settings) for job in jobs],
            summary=summary and summary.model_dump_json(),
        )

    def _summary(self, lease: Lease, commit: Commit) -> Summary:
        """Told to be the last, we know that all other chunks are committed, and committed chunks do not change."""
        if not isinstance(lease, JobLease | PropertyLease) or commit.result is None:
            raise TypeError("only what ends a job has a summary")
        if isinstance(lease, PropertyLease):
            return summarize_property(commit.result)
        name = key("t", lease.tenant, "job", lease.subject_id, "chunks")
        (chunks,) = self._moves.connection.ask(("HGETALL", name))
        results = {int(number): ChunkResult.model_validate_json(text) for number, text in chunks.items()}
        results[lease.chunk] = commit.result
        return summarize(lease.spec, [results[number] for number in sorted(results)], lease.prepared)


def _standing(lease: Lease) -> dict[str, Any]:
    return {"id": lease.subject_id, "chunk": lease.chunk, "fence": lease.fence}


def _result(result: ChunkResult) -> dict[str, Any]:
    return {
        "result": result.model_dump_json(),
        "digest": result.adversarials,
        "samples_done": len(result.findings),
        "queries": result.queries,
        "gradients": result.gradients,
    }


def _lease(reply: Reply) -> Lease:
    right = {name: reply[name] for name in ("tenant", "work", "chunk", "width", "fence", "attempt")}
    right["subject_id"] = reply["id"]
    match reply["subject"]:
        case "job" if reply["work"] == DECIDE:
            return PropertyLease(
                **right,
                spec=specs.read_property(reply["spec"], reply["request"], reply["model"]),
                deadline=monotonic() + reply["milliseconds_left"] / 1000,
            )
        case "job":
            return JobLease(
                **right,
                spec=_runnable(specs.read(reply["spec"], reply)),
                prepared=Preparation.model_validate_json(reply["prepared"]) if "prepared" in reply else None,
                sealed=reply.get("sealed"),
                deadline=monotonic() + reply["milliseconds_left"] / 1000,
            )
        case "model":
            return ModelLease(
                **right,
                model=ModelCard.model_validate_json(reply["model"]),
                sealed=reply.get("sealed"),
                spec=reply.get("spec", "{}"),
                deadline=monotonic() + reply["milliseconds_left"] / 1000 if "milliseconds_left" in reply else None,
            )
    return AuditLease(**right)


def _runnable(spec: JobSpec) -> JobSpec:
    """The spec, if its method is here in the version that was admitted. Raises Refused."""
    version(spec.pinned)
    return spec
