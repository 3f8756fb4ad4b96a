"""Jobs as their callers see them: created, read, listed, cancelled, removed."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from jobs.hints import GivenHints
from jobs.idempotency import Idempotency
from jobs.installation.settings import Settings
from jobs.page import Page
from jobs.property import HAND_OVER_SECONDS, METHOD, QUEUE, PropertySpec
from jobs.record import Job, JobError, JobMethod, Progress
from jobs.spec import FIRST_VERSION, JobSpec
from jobs.states import JobState
from jobs.store import specs
from jobs.store.moves import Moves
from jobs.store.names import checked, found, key, new_id
from jobs.store.sections.objects import Objects, as_argument
from jobs.summary import Summary

SPEC_FIELDS = ("spec", "request", "model_id", "samples_id", "auxiliary_id", "surrogate_id")
USED = (  # part of a spec, kind of object
    ("model", "model"),
    ("samples", "samples"),
    ("auxiliary", "samples"),
    ("surrogate", "model"),
)
JOB_FIELDS = (
    *("state", "request", "method_version", "created", "started", "finished", "changed"),
    *("samples_total", "samples_done", "queries", "gradients", "hints"),
    *("summary", "details", "error_code", "error_detail"),
)


class Jobs:
    """Keeps what was asked and how it stands; what a job found is in `Findings`."""

    def __init__(self, moves: Moves, objects: Objects) -> None:
        self._moves, self._objects = moves, objects

    def create(self, tenant: str, spec: JobSpec, idempotency: Idempotency | None = None) -> Job:
        """Makes a queued job, or returns the one first made with this idempotency key.

        Raises NotFound where its model or samples went away, RateLimited where the tenant has too many live jobs.
        """
        return self._create(tenant, described(spec, self._moves.connection.settings), idempotency)

    def create_property(
        self, tenant: str, job_id: str, spec: PropertySpec, idempotency: Idempotency | None = None
    ) -> Job:
        """Makes a queued job that decides a property, whose text the library keeps in the job's name already.

        Raises what `create` raises.
        """
        return self._create(tenant, described_property(job_id, spec, self._moves.connection.settings), idempotency)

    def _create(self, tenant: str, asked: dict[str, Any], idempotency: Idempotency | None) -> Job:
        once = as_argument(idempotency)
        reply = self._moves.make("create_job", durable=True, tenant=tenant, **asked, idempotency=once)
        return self.get(tenant, reply.get("id", asked["id"]))

    def get(self, tenant: str, job_id: str) -> Job:
        """Returns a job as it stands. Raises NotFound."""
        (job,) = self.load(tenant, [checked(job_id, "job")])
        return found(job)

    def spec(self, tenant: str, job_id: str) -> JobSpec:
        """Returns what was admitted, cards included. Raises NotFound, also once model or samples are removed."""
        ask = self._moves.connection.ask
        ((spec, request, *ids),) = ask(("HMGET", key("t", tenant, "job", checked(job_id, "job")), *SPEC_FIELDS))
        used = [(part, kind, used_id) for (part, kind), used_id in zip(USED, ids, strict=True) if used_id]
        cards = ask(*(("HGET", key("t", tenant, kind, used_id), "card") for _, kind, used_id in used))
        elsewhere = {"request": request} | {part: card for (part, *_), card in zip(used, cards, strict=True)}
        return specs.read(found(spec), {part: found(text) for part, text in elsewhere.items()})

    def shape(self, tenant: str, job_id: str) -> tuple[int, ...]:
        """Returns the shape of one sample of a job: it outlives the samples themselves. Raises NotFound."""
        return tuple(json.loads(self._objects.field(tenant, checked(job_id, "job"), "shape")))

    def page(
        self, tenant: str, state: JobState | None = None, cursor: str | None = None, limit: int = 100
    ) -> Page[Job]:
        """Lists the tenant's jobs, newest first; `state` None: all."""

        def load(ids: Sequence[str]) -> list[Job | None]:
            every = self.load(tenant, ids)
            return [job if job and state in (None, job.state) else None for job in every]

        return self._objects.page(tenant, "job", cursor, limit, load)

    def cancel(self, tenant: str, job_id: str) -> Job:
        """Ends a job that nobody computes at once, others within CANCEL_SECONDS; leaves an ended one as it is."""
        self._moves.make("cancel_job", durable=True, tenant=tenant, id=checked(job_id, "job"))
        return self.get(tenant, job_id)

    def remove(self, tenant: str, job_id: str) -> None:
        """Removes a job, a live one after cancelling it. Raises NotFound, and Conflict(in_use) for one of an audit."""
        self._objects.remove(tenant, "job", job_id)

    def load(self, tenant: str, ids: Sequence[str]) -> list[Job | None]:
        """Returns jobs in the order of their ids, None for those that are gone. Two round trips."""
        ask = self._moves.connection.ask
        rows = ask(*(("HMGET", key("t", tenant, "job", i), *JOB_FIELDS) for i in ids))
        lives = ask(*(("HVALS", key("unit", i, "live")) for i in ids))
        return [
            _job(job_id, dict(zip(JOB_FIELDS, row, strict=True)), live)
            for job_id, row, live in zip(ids, rows, lives, strict=True)
        ]


def described(spec: JobSpec, settings: Settings) -> dict[str, Any]:
    """Writes a new job as the scripts take it, with an id of its own."""
    most = settings.job_seconds
    return {
        "id": new_id("job"),
        "method": spec.request.method.name,
        "model_id": checked(spec.model.id, "model"),
        **({"samples_id": checked(spec.samples.id, "samples")} if spec.samples else {}),
        "spec": specs.written(spec),
        "request": spec.request.model_dump_json(),
        "method_version": spec.method_version,
        "shape": json.dumps(spec.shape),
        **({"hints": spec.hints.model_dump_json()} if spec.hints else {}),
        "samples_total": len(spec.indices),
        "chunk_size": spec.chunk_size,
        "chunks_at_once": spec.chunks_at_once,
        "stages": [{"work": work, "total": total, "queue": spec.queue_of(work)} for work, total in spec.stages],
        "queue": spec.queue_of(spec.stages[0][0]),
        "seconds": min(spec.request.budget.seconds or most, most),
        **({"auxiliary_id": checked(spec.auxiliary.id, "samples")} if spec.auxiliary else {}),
        **({"surrogate_id": checked(spec.surrogate.id, "model")} if spec.surrogate else {}),
    }


def described_property(job_id: str, spec: PropertySpec, settings: Settings) -> dict[str, Any]:
    """Writes a new property as the scripts take a job."""
    return {
        "id": checked(job_id, "job"),
        "method": METHOD,
        "model_id": checked(spec.model.id, "model"),
        "spec": specs.written_property(spec),
        "request": spec.request.model_dump_json(),
        "method_version": spec.method_version,
        "shape": json.dumps(spec.shape),
        "samples_total": len(spec.indices),
        "chunk_size": 1,
        "chunks_at_once": 1,
        "stages": [{"work": work, "total": total, "queue": QUEUE} for work, total in spec.stages],
        "queue": QUEUE,
        "seconds": min(spec.request.seconds + HAND_OVER_SECONDS, settings.job_seconds),
    }


def _job(job_id: str, row: dict[str, Any], live: list[str]) -> Job | None:
    if row["state"] is None:
        return None
    request = json.loads(row["request"])
    return Job(
        id=job_id,
        state=JobState(row["state"]),
        method=_method(request, row["method_version"] or FIRST_VERSION),
        request=request,
        hints=GivenHints.model_validate_json(row["hints"]) if row["hints"] else None,
        progress=_progress(row, [Progress.model_validate(json.loads(text)) for text in live]),
        summary=Summary.model_validate_json(row["summary"]) if row["summary"] else None,
        details=json.loads(row["details"]) if row["details"] else None,
        error=JobError(code=row["error_code"], detail=row["error_detail"]) if row["error_code"] else None,
        created_at=moment(row["created"]),
        started_at=moment(row["started"]) if row["started"] else None,
        finished_at=moment(row["finished"]) if row["finished"] else None,
    )


def _method(request: dict[str, Any], version: str) -> JobMethod:
    if "method" not in request:
        return JobMethod(name=METHOD, version=version, params={})
    name, params = request["method"]["name"], {key: value for key, value in request["method"].items() if key != "name"}
    return JobMethod(name=name, version=version, params=params)


def _progress(row: dict[str, Any], live: list[Progress]) -> Progress:
    """Committed chunks and what the others say they have done. The estimate assumes that all samples cost alike."""
    total, done = int(row["samples_total"]), int(row["samples_done"])
    fraction = min(1.0, (done + sum(p.fraction * p.samples_total for p in live)) / total)
    running = row["state"] == JobState.RUNNING
    seconds = max(0, int(row["changed"]) - int(row["started"])) / 1000 if running else 0.0
    return Progress(
        samples_done=done + sum(p.samples_done for p in live),
        samples_total=total,
        queries=int(row["queries"]) + sum(p.queries for p in live),
        gradients=int(row["gradients"]) + sum(p.gradients for p in live),
        fraction=fraction,
        eta_seconds=seconds * (1 - fraction) / fraction if running and fraction > 0 else None,
        preparing=next((p.preparing for p in live if p.preparing is not None), None),
    )


def moment(milliseconds: str) -> datetime:
    """Reads a time as the scripts write it."""
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
