"""Units of work as the workers see them: taken, held by beats, committed, failed, released."""

from time import monotonic
from typing import Any, Literal

from jobs.lease import ChunkResult, Lease
from jobs.record import Progress
from jobs.spec import JobSpec
from jobs.store.moves import Moves
from jobs.store.names import key
from jobs.store.refusals import Reply
from jobs.summary import Preparation, Summary, summarize
from models.cards import Inspection, ModelCard


class Leases:
    """Hands out the right to do a unit of work, and writes down how it ended while that right stands.

    Every commit returns whether the lease stood; where it did not, nothing was written.
    """

    def __init__(self, moves: Moves) -> None:
        self._moves = moves

    def acquire(self, job_id: str, chunk: int, worker_id: str) -> Lease | None:
        """Leases one chunk, or returns None where there is nothing to do: done, ended, or another has it."""
        reply = self._moves.make("acquire", id=job_id, chunk=chunk)
        if reply["status"] == "none":
            return None
        return _lease(reply, job_id, chunk, worker_id, self._moves.connection.settings.answer_seconds)

    def beat(self, lease: Lease, progress: Progress) -> Literal["go", "cancel", "lost"]:
        """Extends the lease. `cancel`: stop and commit what there is. `lost`: kill the runner, commit nothing."""
        reply = self._moves.make("beat", **_standing(lease), progress=progress.model_dump_json())
        status: Literal["go", "cancel", "lost"] = reply["status"]
        return status

    def commit(self, lease: Lease, result: ChunkResult) -> bool:
        """Writes down a chunk's result. The last chunk's commit brings the summary and ends the job in one move."""
        reply = self._commit(lease, result, None)
        if reply["status"] == "last":
            reply = self._commit(lease, result, self._summary(lease, result))
        return _stood(reply)

    def commit_preparation(self, lease: Lease, prepared: Preparation) -> bool:
        """Ends the stage `prepare`: the job's chunks may begin."""
        if lease.spec is None:
            raise TypeError("this lease is not of a job")
        reply = self._moves.make(
            "prepared",
            durable=True,
            **_standing(lease),
            prepared=prepared.model_dump_json(),
            digest=prepared.artifact,
            chunks=lease.spec.chunks,
        )
        return _stood(reply)

    def commit_inspection(self, lease: Lease, found: Inspection) -> bool:
        """Ends an inspection: the model is ready."""
        if lease.model is None:
            raise TypeError("this lease is not of an inspection")
        card = lease.model.inspected(found).model_dump_json()
        return _stood(self._moves.make("inspected", durable=True, **_standing(lease), card=card))

    def refuse_model(self, lease: Lease, code: str, detail: str) -> bool:
        """Ends an inspection with a refusal; the model's bytes go at once."""
        return _stood(self._moves.make("inspected", durable=True, **_standing(lease), code=code, detail=detail))

    def commit_report(self, lease: Lease, *, verdict: str, summary: str, forms: dict[str, str]) -> bool:
        """Ends an audit. `verdict` and `summary` are JSON; `forms`: name -> digest in the library."""
        reply = self._moves.make(
            "reported", durable=True, **_standing(lease), verdict=verdict, summary=summary, forms=forms
        )
        return _stood(reply)

    def fail(self, lease: Lease, code: str, detail: str, *, retry: bool, partial: ChunkResult | None = None) -> None:
        """Gives a chunk back with the reason why it could not be computed.

        `model_fault` is retried once at most, other codes until the attempts are spent; then the job is failed.
        `partial`: what had been found before, kept where the job ends by this, or is cancelled.
        """
        kept = _result(partial) if partial else {}
        self._moves.make("fail", durable=True, **_standing(lease), **kept, code=code, detail=detail, retry=retry)

    def release(self, lease: Lease) -> None:
        """Gives a chunk back because this worker goes: it can be taken at once, and the attempt is not charged."""
        self._moves.make("release", **_standing(lease))

    def _commit(self, lease: Lease, result: ChunkResult, summary: Summary | None) -> Reply:
        return self._moves.make(
            "commit",
            durable=True,
            **_standing(lease),
            **_result(result),
            summary=summary and summary.model_dump_json(),
        )

    def _summary(self, lease: Lease, last: ChunkResult) -> Summary:
        """Told to be the last, we know that all other chunks are committed, and committed chunks do not change."""
        if lease.spec is None:
            raise TypeError("this lease is not of a job")
        name = key("t", lease.tenant, "job", lease.job_id, "chunks")
        (chunks,) = self._moves.connection.ask(("HGETALL", name))
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


def _stood(reply: Reply) -> bool:
    return bool(reply["status"] == "ok")


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
