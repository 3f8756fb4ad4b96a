"""An audit from the upload's bytes to its report in one process: all of it the service's own, but for the transport."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.driver.running import Samples, run
from algorithms.method import Budget
from algorithms.seam.access import Model, Rows
from algorithms.seam.claims import Outcome
from algorithms.seam.hint import NOTHING_KNOWN, Hint
from audits.asking.admission import admit, jobs_of_phase
from audits.asking.request import AuditRequest
from audits.composing.compose import Material, compose
from audits.composing.rows import rows_of
from audits.document.report import Report
from audits.evidence.evidence import Evidence
from audits.evidence.hints import hints
from jobs.hints import GivenHints, most_points
from jobs.record import Job, JobMethod, Progress
from jobs.result import ChunkResult
from jobs.spec import JobSpec
from jobs.states import JobState
from jobs.summary import summarize
from models.cards import ModelCard, SamplesCard
from models.opening import inspect_model, open_model
from tests.devices import DEVICE

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@lru_cache(4)  # one mask is audited several times in a row
def inspected(data: bytes, *, kind: str = "onnx", **told: Any) -> ModelCard:
    """The card of an upload. Raises Refused."""
    card = ModelCard(
        id="mdl_hidden", kind=kind, name="hidden", state="inspecting", sha256=sha256(data).hexdigest(),
        size_bytes=len(data), created_at=NOW, **told,
    )  # fmt: skip
    return card.inspected(inspect_model(card, data, device=DEVICE))


def samples_card(x: NDArray[Any], y: NDArray[np.int64]) -> SamplesCard:
    return SamplesCard(
        id="smp_hidden", name="samples", sha256=sha256(x.tobytes()).hexdigest(), size_bytes=x.nbytes, created_at=NOW,
        count=len(x), shape=x.shape[1:], dtype=str(x.dtype), labelled=True, label_minimum=int(y.min()),
        label_maximum=int(y.max()), minimum=float(x.min()), maximum=float(x.max()),
    )  # fmt: skip


def audited(data: bytes, card: ModelCard, x: NDArray[np.float32], y: NDArray[np.int64], **asked: Any) -> Report:
    """The report of one audit. `asked`: what the request says beside model and samples."""
    body = {"model_id": card.id, "samples_id": "smp_hidden"} | asked
    plan = admit(AuditRequest.model_validate(body), card, samples_card(x, y))
    model = open_model(card, data, device=DEVICE)
    evidence: list[Evidence] = []
    points: dict[str, dict[int, Rows]] = {}
    for phase in range(plan.phases):
        jobs = plan.jobs if phase == 0 else jobs_of_phase(plan.spec, phase)
        known = hints(
            evidence,
            lambda job, rows: {row: points[job][row] for row in rows},
            most_points=most_points(x.shape[1:]),
        )
        for spec in (_given(_thinned(spec), known) for spec in jobs):
            outcomes = _run(spec, model, x, y, known)
            evidence.append(_ended(spec, outcomes))
            points[evidence[-1].job.id] = {o.finding.index: o.x_adv for o in outcomes if o.x_adv is not None}
    return compose(Material("aud_hidden", plan.spec, evidence, None, "0", NOW), rows_of(plan.spec, evidence), None)


THINNED = {"clever": {"batches": 10, "batch_size": 16}, "steepest": {"climbers": 6, "steps": 2}}


def _thinned(spec: JobSpec) -> JobSpec:
    """The job with scores of few gradients: an estimate decides nothing here, and would take most of the time."""
    asked = spec.request.method
    method_ = asked.model_copy(update=THINNED.get(asked.name, {}))
    return spec.model_copy(update={"request": spec.request.model_copy(update={"method": method_})})


def _given(spec: JobSpec, known: Mapping[int, Hint]) -> JobSpec:
    if not known or not spec.method.takes_hints:
        return spec
    return spec.model_copy(update={"hints": GivenHints(digest="0" * 64, points=0, reached=0, proven=0)})


def _run(
    spec: JobSpec, model: Model, x: NDArray[np.float32], y: NDArray[np.int64], known: Mapping[int, Hint]
) -> Sequence[Outcome]:
    chosen, rows, budget = spec.method, list(spec.indices), spec.request.budget
    told = tuple(known.get(row, NOTHING_KNOWN) for row in rows) if spec.hints else None
    return run(
        model,
        Samples(x[rows], spec.indices, y[rows], None, told, pool=x if chosen.wants_pool else None),
        chosen,
        spec.request.method,
        spec.threat.threat(spec.samples.shape),
        Budget(budget.queries_per_sample, budget.gradients_per_sample),
        seed=spec.request.seed,
    )


def _ended(spec: JobSpec, outcomes: Sequence[Outcome]) -> Evidence:
    findings = tuple(outcome.finding for outcome in outcomes)
    asked = spec.request.method
    queries, gradients = sum(f.queries for f in findings), sum(f.gradients for f in findings)
    result = ChunkResult(findings=findings, queries=queries, gradients=gradients, device=DEVICE, isolation="basic")
    job = Job(
        id=f"job_{asked.name}",
        state=JobState.SUCCEEDED,
        method=JobMethod(name=asked.name, version=spec.method_version, params=asked.model_dump(exclude={"name"})),
        request=spec.request,
        progress=Progress(),
        summary=summarize(spec, [result]),
        created_at=NOW,
        started_at=NOW,
        finished_at=NOW,
    )
    return Evidence(job, spec, findings)
