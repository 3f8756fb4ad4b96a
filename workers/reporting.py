"""The report of an audit whose jobs have ended, gathered and composed. No model is near it."""

import io
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from algorithms.seam.claims import Finding
from audits.asking.record import AuditSpec
from audits.composing import gallery, rows
from audits.composing.compose import Material, compose
from audits.composing.gallery import Shown
from audits.document.report import Gallery, Report
from audits.document.rows import SampleRow
from audits.document.verdict import Verdict
from audits.evidence.evidence import Evidence
from audits.renderings.render import WRITERS, render
from audits.store import Audits
from jobs.store.store import Store
from jobs.version import VERSION
from models.library import Library
from models.samples import load_rows

PAGE = 1000


def compose_report(tenant: str, audit_id: str, *, store: Store, library: Library) -> Report:
    """The report of an audit, from what its jobs left in the store and in the library."""
    return _Archive(store, library, tenant).compose(audit_id)


def rendered(report: Report) -> Iterator[tuple[str, bytes]]:
    """The report in each of its forms: (form, bytes), one at a time."""
    for form in WRITERS:
        yield form, render(report, form)


def told(report: Report) -> dict[str, str]:
    """What an audit says of its report, as JSON."""
    verdict = Verdict(verdict=report.verdict, rules=report.rules)
    return {"verdict": verdict.model_dump_json(), "summary": report.summary.model_dump_json()}


class _Archive:
    """What a tenant's audits and jobs left behind."""

    def __init__(self, store: Store, library: Library, tenant: str) -> None:
        self._store, self._audits, self._library, self._tenant = store, Audits(store), library, tenant

    def compose(self, audit_id: str) -> Report:
        spec = self._audits.spec(self._tenant, audit_id)
        evidence = list(self._evidence(audit_id))
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

    def _evidence(self, audit_id: str) -> Iterator[Evidence]:
        for job_id in [job.job_id for job in self._audits.get(self._tenant, audit_id).jobs]:
            job, spec = self._store.jobs.get(self._tenant, job_id), self._store.jobs.spec(self._tenant, job_id)
            yield Evidence(job, spec, list(self._findings(job_id)))

    def _findings(self, job_id: str) -> Iterator[Finding]:
        cursor = None
        while True:
            page = self._store.findings.page(self._tenant, job_id, cursor, PAGE)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def _gallery(self, spec: AuditSpec, evidence: Sequence[Evidence], told: Sequence[SampleRow]) -> Gallery | None:
        chosen = gallery.choose(told)
        if not chosen:
            return None
        x, _ = load_rows(self._library.get(spec.samples.sha256), [row.index for row in chosen])
        points: dict[int, NDArray[np.float32]] = {}
        for one in evidence:
            wanted = {row.index for row in chosen if row.upper_by == one.method.name}
            points |= self._points(one.job.id, wanted) if wanted else {}
        read_as = {(one.method.name, f.index): f.details.get("read_as") for one in evidence for f in one.findings}
        shown = [
            Shown(row, clean, points[row.index], read_as.get((row.upper_by or "", row.index)))
            for row, clean in zip(chosen, x, strict=True)
        ]
        threat = spec.threat.threat(spec.samples.shape)
        low, high = float(np.min(threat.box.lower)), float(np.max(threat.box.upper))
        if not threat.box.is_bounded:
            low, high = spec.samples.minimum, spec.samples.maximum
        return gallery.gallery(shown, minimum=low, maximum=high)

    def _points(self, job_id: str, wanted: set[int]) -> dict[int, NDArray[np.float32]]:
        """{row of the upload: adversarial point} of one job, one of its chunks in memory at a time."""
        points: dict[int, NDArray[np.float32]] = {}
        for digest in self._store.findings.adversarial_digests(self._tenant, job_id):
            with np.load(io.BytesIO(self._library.get(digest)), allow_pickle=False) as stored:
                found = zip(stored["index"].tolist(), stored["x"], strict=True)
                points.update((index, x.copy()) for index, x in found if index in wanted)
        return points
