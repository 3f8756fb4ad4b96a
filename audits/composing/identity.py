"""What was audited, how, and with what: the parts of the report by which it can be checked and repeated. Pure."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from audits.asking.record import AuditSpec
from audits.document.report import AuditSettings, DataIdentity, Digests, JobRow, ThreatModel
from audits.evidence.evidence import Evidence
from audits.evidence.table import Table
from jobs.summary import Summary


def job_row(one: Evidence) -> JobRow:
    method, asked, job = one.method, one.spec.request, one.job
    return JobRow(
        job_id=job.id,
        method=method.name,
        version=one.spec.method_version,
        family=method.family,
        knowledge=method.threat_model,
        proves=method.proves,
        reference=method.reference,
        state=job.state,
        error=job.error.detail if job.error else None,
        started_at=job.started_at,
        finished_at=job.finished_at,
        params=asked.method.model_dump(mode="json"),
        budget=asked.budget.model_dump(mode="json"),
        epsilon=asked.threat.epsilon,
        samples=len(one.spec.indices),
        hints=one.spec.hints,
        is_baseline=method.is_baseline,
        by_substitutes=method.by_substitutes,
        **(_cost(job.summary) if job.summary else {}),
    )


def _cost(summary: Summary) -> dict[str, Any]:
    shared = ("counts", "queries", "gradients", "device", "isolation", "isolation_denied", "warnings")
    return {name: getattr(summary, name) for name in shared} | {"seconds": summary.seconds_with_prepare}


def data(spec: AuditSpec, table: Table) -> DataIdentity:
    labelled, n = spec.samples.labelled, len(spec.indices)
    every = n == spec.samples.count
    first = spec.indices == tuple(range(n))
    return DataIdentity(
        card=spec.samples,
        selected=n,
        selection=f"all {n} rows" if every else f"the first {n} rows" if first else f"{n} rows chosen by the caller",
        labels="given" if labelled else "predicted",
        misclassified=None if table.gaps.keys() & {"labels", "predictions"} else int((~table.correct).sum()),
    )


def threat(spec: AuditSpec) -> ThreatModel:
    asked = spec.request.threat
    return ThreatModel(
        norm=asked.norm.value,
        pixelwise=asked.pixelwise,
        epsilon=asked.epsilon,
        goal=asked.goal,
        box=None if asked.box is None else (asked.box[0], asked.box[1]),
        lattice=asked.lattice,
    )


def settings(spec: AuditSpec) -> AuditSettings:
    request = spec.request
    policy = request.policy
    return AuditSettings(
        recipe=request.recipe if isinstance(request.recipe, str) else ", ".join(m.name for m in request.recipe),
        draft=spec.draft,
        seed=request.seed,
        seconds=request.budget.seconds,
        policy=policy.model_dump(mode="json", exclude_none=True) if policy else None,
        baseline_audit_id=request.baseline_audit_id,
    )


def digests(spec: AuditSpec) -> Digests:
    asked = spec.request.model_dump(mode="json")
    chosen = {name: asked[name] for name in ("recipe", "threat", "samples", "seed", "policy")}
    if spec.request.budget.seconds is not None:
        chosen["budget"] = asked["budget"]
    return Digests(
        model=spec.model.sha256,
        samples=spec.samples.sha256,
        settings=_digest(chosen),
        policy=None if asked["policy"] is None else _digest(asked["policy"]),
    )


def _digest(content: Any) -> str:
    """sha256 of JSON with sorted keys and no spaces."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def versions(evidence: Sequence[Evidence], *, service: str) -> dict[str, str]:
    """Lists {library: version} of everything that computed a part; several versions where the workers differed."""
    seen = [one.job.summary.versions for one in evidence if one.job.summary]
    libraries = sorted({library for found in seen for library in found})
    told = {lib: ", ".join(sorted({found[lib] for found in seen if lib in found})) for lib in libraries}
    return {"brinell": service, **told}
