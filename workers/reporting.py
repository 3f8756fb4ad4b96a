"""The report of an audit whose jobs have ended, gathered and composed. No model is near it."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from audits.asking.record import AuditSpec
from audits.composing import gallery, rows
from audits.composing.compose import Material, compose
from audits.composing.gallery import Pair
from audits.document.report import Gallery, Report
from audits.document.rows import SampleRow
from audits.document.verdict import Verdict
from audits.evidence.evidence import Evidence
from audits.renderings.render import WRITERS, render
from jobs.installation.version import VERSION
from jobs.store.store import Store
from models.library import Library
from models.samples import load_rows
from workers.archive import Archive


def compose_report(tenant: str, audit_id: str, *, store: Store, library: Library) -> Report:
    """Composes the report of an audit from what its jobs left in the store and in the library."""
    return _Composing(store, library, tenant).compose(audit_id)


def rendered(report: Report) -> Iterator[tuple[str, bytes]]:
    """Renders the report in each of its forms: yields (form, bytes), one at a time."""
    for form in WRITERS:
        yield form, render(report, form)


def told(report: Report) -> dict[str, str]:
    """What an audit says of its report, as JSON."""
    verdict = Verdict(verdict=report.verdict, rules=report.rules)
    return {"verdict": verdict.model_dump_json(), "summary": report.summary.model_dump_json()}


class _Composing:
    """Makes the report of one tenant's audit."""

    def __init__(self, store: Store, library: Library, tenant: str) -> None:
        self._archive = Archive(store, library, tenant)
        self._store, self._library, self._tenant = store, library, tenant

    def compose(self, audit_id: str) -> Report:
        spec = self._archive.audits.spec(self._tenant, audit_id)
        evidence = list(self._archive.evidence(audit_id))
        told = rows.rows_of(spec, evidence)
        material = Material(
            audit_id=audit_id,
            spec=spec,
            evidence=evidence,
            baseline=None if spec.baseline is None else self._report(spec.baseline),
            service=VERSION,
            now=self._store.server_time(),
        )
        return compose(material, told, self._gallery(spec, evidence, told))

    def _report(self, digest: str) -> Report:
        return Report.model_validate_json(self._library.get(digest))

    def _gallery(self, spec: AuditSpec, evidence: Sequence[Evidence], told: Sequence[SampleRow]) -> Gallery | None:
        chosen = gallery.choose(told)
        if not chosen:
            return None
        x, _ = load_rows(self._library.get(spec.samples.sha256), [row.index for row in chosen])
        points: dict[int, NDArray[np.float32]] = {}
        for one in evidence:
            wanted = {row.index for row in chosen if row.upper_by == one.method.name}
            points |= self._archive.points(one.job.id, wanted) if wanted else {}
        read_as = {(one.method.name, f.index): f.details.get("read_as") for one in evidence for f in one.findings}
        shown = [
            Pair(row, clean, points[row.index], read_as.get((row.upper_by or "", row.index)))
            for row, clean in zip(chosen, x, strict=True)
        ]
        threat = spec.threat.threat(spec.samples.shape)
        low, high = float(np.min(threat.box.lower)), float(np.max(threat.box.upper))
        if not threat.box.is_bounded:
            low, high = spec.samples.minimum, spec.samples.maximum
        return gallery.gallery(shown, minimum=low, maximum=high)
