"""Cards, jobs and results small enough to read, for tests of what is done with them."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from algorithms.errors import Unavailable
from algorithms.seam.access import Access
from algorithms.seam.claims import Finding, Kind
from audits.asking.admission import AuditPlan
from audits.asking.admission import admit as admit_audit
from audits.asking.request import AuditRequest
from audits.store import Audits
from jobs.admission.admission import admit
from jobs.request import JobRequest
from jobs.result import ChunkResult
from jobs.spec import JobSpec
from jobs.store.names import new_id
from jobs.store.store import Store
from jobs.work.lease import Commit, Lease, ModelLease
from jobs.work.queue import Dispatch, Queue
from models.cards import Inspection, ModelCard, ModelInput, ModelOutput, Reads, SamplesCard
from models.library import Library

MakeStore = Callable[..., Store]

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SHAPE = (1, 2, 2)
CLASSES = 3
FOUND = Inspection(
    input=ModelInput(name="x", dtype="float32", shape=SHAPE, batch=None),
    output=ModelOutput(name="logits", classes=CLASSES, kind="logits"),
    reads=Reads(output="logits", as_="logits", because="graph"),
    opset=18,
    offers=(Access.LABELS, Access.SCORES, Access.GRADIENTS),
)


def digest(letter: str) -> str:
    return letter * 64


def model_card(*, bytes_of: str = "a", **changes: Any) -> ModelCard:
    """A model under inspection."""
    card = ModelCard(
        id=new_id("model"),
        kind="onnx",
        name="net",
        state="inspecting",
        sha256=digest(bytes_of),
        size_bytes=10,
        created_at=NOW,
    )
    return card.model_copy(update=changes)


def ready_card(**changes: Any) -> ModelCard:
    return model_card().inspected(FOUND).model_copy(update=changes)


def samples_card(*, bytes_of: str = "b", **changes: Any) -> SamplesCard:
    """Ten labelled samples in [0, 1]."""
    card = SamplesCard(
        id=new_id("samples"),
        name="ten",
        sha256=digest(bytes_of),
        size_bytes=10,
        created_at=NOW,
        count=10,
        shape=SHAPE,
        dtype="float32",
        labelled=True,
        label_minimum=0,
        label_maximum=2,
        minimum=0.0,
        maximum=1.0,
    )
    return card.model_copy(update=changes)


def request(model: ModelCard, samples: SamplesCard, /, **changes: Any) -> JobRequest:
    body = {"model_id": model.id, "samples_id": samples.id, "method": {"name": "clever"}}
    return JobRequest.model_validate(body | changes)


def spec(model: ModelCard, samples: SamplesCard, /, *, chunk_size: int = 4, **changes: Any) -> JobSpec:
    """Ten samples in chunks of four: 4, 4, 2."""
    return admit(request(model, samples, **changes), model, samples).model_copy(update={"chunk_size": chunk_size})


def finding(index: int, kind: Kind = Kind.ESTIMATE, value: float | None = 0.5, **changes: Any) -> Finding:
    line = Finding(
        index=index, label=1, predicted=1, kind=kind, norm="l2", value=value, queries=2, gradients=3, ended="finished"
    )
    return line.model_copy(update=changes)


def result(indices: tuple[int, ...], **changes: Any) -> ChunkResult:
    """Two queries and three gradients a sample."""
    return ChunkResult(
        findings=tuple(finding(index) for index in indices),
        queries=2 * len(indices),
        gradients=3 * len(indices),
        seconds=0.5,
        device="cpu",
        isolation="basic",
        versions={"onnxruntime": "1.31"},
    ).model_copy(update=changes)


class NotedQueue(Queue):
    """A queue that remembers what it was given to send."""

    def __init__(self, redis_url: str) -> None:
        super().__init__(redis_url)
        self._sent: list[Dispatch] = []

    def send(self, dispatches: Iterable[Dispatch]) -> int:
        noted = list(dispatches)
        self._sent += noted
        return super().send(noted)

    def sent(self) -> list[Dispatch]:
        """Since this was last asked."""
        sent, self._sent = self._sent, []
        return sent


class NotedLibrary(Library):
    """A library that remembers what it deleted, and can be away."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.is_away = False
        self._deleted: list[str] = []

    def delete(self, sha256: str) -> None:
        if self.is_away:
            raise Unavailable("The library is away.", retry_after=1)
        super().delete(sha256)
        self._deleted.append(sha256)

    def deleted(self) -> list[str]:
        """Since this was last asked."""
        deleted, self._deleted = self._deleted, []
        return deleted


class Upload:
    """A tenant's ready model and samples in a store."""

    def __init__(self, store: Store, tenant: str = "lab", *, model: str = "a", samples: str = "b") -> None:
        self.store, self.tenant = store, tenant
        card = store.models.add(tenant, model_card(bytes_of=model))
        lease = taken(store, card.id)
        store.leases.commit(lease, inspected(lease))
        self.model = store.models.get(tenant, card.id)
        self.samples = samples_card(bytes_of=samples)
        store.samples.add(tenant, self.samples)

    def spec(self, **changes: Any) -> JobSpec:
        return spec(self.model, self.samples, **changes)

    def job(self, **changes: Any) -> str:
        """The id of a new job."""
        return self.store.jobs.create(self.tenant, self.spec(**changes)).id

    def plan(self, *, baseline: str | None = None, **changes: Any) -> AuditPlan:
        """An audit of all ten samples, by pgd and by clever. `baseline`: digest of a report."""
        recipe = [{"name": "pgd"}, {"name": "clever"}]
        body = {"model_id": self.model.id, "samples_id": self.samples.id, "recipe": recipe}
        request = AuditRequest.model_validate(body | changes)
        return admit_audit(request, self.model, self.samples, baseline=baseline)

    def audit(self, **changes: Any) -> str:
        """The id of a new audit."""
        return Audits(self.store).create(self.tenant, self.plan(**changes)).id


def taken(store: Store, unit_id: str, chunk: int = 0) -> Lease:
    """A lease that must be there to be taken."""
    lease = store.leases.acquire(unit_id, chunk)
    assert lease is not None
    return lease


def inspected(lease: Lease, found: Inspection = FOUND) -> Commit:
    """What the commit of an inspection brings."""
    assert isinstance(lease, ModelLease)
    return Commit(fields={"card": lease.model.inspected(found).model_dump_json()})


def commit_all(store: Store, job_id: str) -> None:
    """Computes whatever can be taken until nothing is left."""
    while leases := [lease for chunk in range(10) if (lease := store.leases.acquire(job_id, chunk))]:
        for lease in leases:
            assert store.leases.commit(lease, Commit(result=result(lease.indices)))
