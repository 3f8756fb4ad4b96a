"""Where the truth is: every fact about keys, models, samples and jobs, in Redis."""

from collections.abc import Iterable
from datetime import datetime

from algorithms.results import Finding
from jobs.record import (
    ChunkResult,
    Effects,
    Idempotency,
    Job,
    JobSpec,
    KeyRecord,
    Lease,
    Page,
    Progress,
    QueueName,
    WorkerRecord,
)
from jobs.settings import Settings
from jobs.states import JobState
from models.manifest import Inspection, ModelCard, SamplesCard
from typing import Any, Literal


class Store:
    """Every method on an object takes the tenant first; an unknown id and another tenant's id are both NotFound.

    All methods raise Unavailable(retry_after) while Redis cannot be reached. Methods that return `Effects` want them
    settled (`jobs.effects.settle`).
    """

    def __init__(self, settings: Settings) -> None:
        """Connects at the first call. Uses redis_url, lease_seconds, result_ttl_seconds, max_attempts, windows."""
        raise NotImplementedError

    def ping(self) -> None: ...
    def server_time(self) -> datetime: ...

    # keys
    def add_key(self, record: KeyRecord) -> None: ...
    def key(self, key_id: str) -> KeyRecord | None: ...
    def keys(self) -> list[KeyRecord]: ...
    def revoke_key(self, key_id: str) -> bool:
        """False: there was no such key."""
    def touch_key(self, key_id: str) -> None:
        """Remembers that it was used now, at most once a minute."""

    # library bytes
    def hold(self, tenant: str, owner_id: str, digest: str) -> None:
        """Call BEFORE putting bytes into the library for an object about to be added (or a job's adversarials).

        The hold lapses after an hour unless the object `owner_id` is added by then. Raises Unavailable for the moment
        in which the very same bytes are being deleted.
        """
    def forget(self, digests: Iterable[str]) -> None:
        """These digests, handed out in `Effects.digests`, are deleted from the library now."""

    # models
    def add_model(self, tenant: str, card: ModelCard, idempotency: Idempotency | None = None) -> tuple[ModelCard, Effects]:
        """An `inspecting` model and its inspection work unit, in one move. Holds the digest."""
    def model(self, tenant: str, model_id: str) -> ModelCard: ...
    def models(self, tenant: str, cursor: str | None = None, limit: int = 100) -> Page[ModelCard]:
        """Newest first."""
    def remove_model(self, tenant: str, model_id: str) -> Effects:
        """Raises Conflict(in_use) while a live job uses it."""

    # samples
    def add_samples(self, tenant: str, card: SamplesCard) -> None:
        """Holds the digest."""
    def samples_card(self, tenant: str, samples_id: str) -> SamplesCard: ...
    def samples_list(self, tenant: str, cursor: str | None = None, limit: int = 100) -> Page[SamplesCard]: ...
    def remove_samples(self, tenant: str, samples_id: str) -> Effects:
        """Raises Conflict(in_use) while a live job uses it."""

    # jobs
    def replayed(self, tenant: str, idempotency: Idempotency) -> str | None:
        """The id of the object first made with this key. Ask before admission. Raises Refused(idempotency_key_reused)."""
    def create_job(self, tenant: str, spec: JobSpec, idempotency: Idempotency | None = None) -> tuple[Job, Effects]: ...
    def job(self, tenant: str, job_id: str) -> Job: ...
    def jobs(self, tenant: str, state: JobState | None = None, cursor: str | None = None, limit: int = 100) -> Page[Job]: ...
    def cancel_job(self, tenant: str, job_id: str) -> tuple[Job, Effects]: ...
    def remove_job(self, tenant: str, job_id: str) -> Effects:
        """A live one is cancelled first."""
    def findings(self, tenant: str, job_id: str, cursor: str | None = None, limit: int = 100) -> Page[Finding]: ...
    def adversarial_digests(self, tenant: str, job_id: str) -> list[str]: ...
    def version(self, tenant: str, object_id: str) -> int:
        """Of a job or a model: grows with every change. One cheap read: `Prefer: wait` polls it (and `state`)."""
    def state(self, tenant: str, object_id: str) -> str:
        """Of a job or a model, in one cheap read."""

    # workers
    def acquire(self, job_id: str, chunk: int, worker_id: str) -> Lease | None:
        """None: nothing to do here (done, taken by another, ended). The message is then simply acknowledged."""
    def beat(self, lease: Lease, progress: Progress) -> Literal["go", "cancel", "lost"]:
        """Extends the lease. `cancel`: stop, commit what there is. `lost`: kill the runner, commit nothing."""
    def commit(self, lease: Lease, result: ChunkResult) -> tuple[bool, Effects]:
        """False: the fence was stale. The last chunk's commit writes the summary and ends the job in the same move."""
    def commit_inspection(self, lease: Lease, found: Inspection) -> tuple[bool, Effects]: ...
    def refuse_model(self, lease: Lease, code: str, detail: str) -> tuple[bool, Effects]:
        """The inspection ended with a refusal; the bytes go at once."""
    def fail(self, lease: Lease, code: str, detail: str, *, retry: bool) -> Effects:
        """`model_fault` is retried once at most, other codes until the attempts are spent; then the job is failed."""
    def release(self, lease: Lease) -> Effects:
        """Drain: the chunk can be taken again at once, and the attempt is not charged."""
    def reap(self) -> Effects:
        """One sweep: expired leases, lost messages, passed deadlines, spent TTLs. Call every second or two."""
    def worker_beat(self, worker_id: str, kind: QueueName, info: dict[str, Any]) -> None: ...
    def live_workers(self) -> list[WorkerRecord]: ...
    def counters(self) -> dict[str, int]:
        """For /metrics: refused_commits, lost_leases, resent_messages …"""
