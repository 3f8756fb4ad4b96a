"""Writes the report of an audit whose jobs have ended: gathers, composes, renders, keeps. No model is near it."""

import io
from collections.abc import Iterator, Sequence
from time import monotonic

import numpy as np
import structlog
from numpy.typing import NDArray

from algorithms.seam.claims import Finding
from audits.asking.record import AuditSpec
from audits.composing import gallery
from audits.composing.compose import Material, compose
from audits.composing.gallery import Shown
from audits.document.report import Gallery, Report
from audits.document.rows import SampleRow
from audits.evidence import rows
from audits.evidence.evidence import Evidence
from audits.policy.verdict import Verdict
from audits.renderings.render import WRITERS, render
from audits.store import Audits
from jobs.lease import Lease
from jobs.record import Progress
from jobs.store.store import Store
from models.library import Library
from models.samples import load_rows
from workers import drain
from workers.supervisor.endings import Ending, Failed, Reported
from workers.supervisor.versions import versions
from workers.supervisor.watch import Watch

PAGE = 1000

_log = structlog.get_logger(__name__)


class Reporting:
    """Does the units of work that are reports."""

    def __init__(self, store: Store, audits: Audits, library: Library, *, lease_seconds: float) -> None:
        self._store, self._audits, self._library = store, audits, library
        self._lease_seconds = lease_seconds

    def do(self, lease: Lease) -> Ending:
        """The edge of a report: whatever happens in it, it has an ending."""
        watch = Watch(
            lambda: self._store.leases.beat(lease, Progress()),
            heard=monotonic,
            lease_seconds=self._lease_seconds,
            draining=drain.is_on,
        )
        try:
            with watch:
                return self._write(lease)
        except Exception:
            _log.exception("report_failed")
            return Failed("internal", "The service failed to write the report; start the audit again.", retry=True)

    def _write(self, lease: Lease) -> Reported:
        report = self._compose(lease)
        kept = {form: render(report, form) for form in WRITERS}
        forms = {form: self._store.holdings.put(lease.tenant, lease.job_id, data) for form, data in kept.items()}
        return Reported(Verdict(verdict=report.verdict, rules=report.rules), report.summary, forms)

    def _compose(self, lease: Lease) -> Report:
        spec = self._audits.spec(lease.tenant, lease.job_id)
        evidence = list(self._evidence(lease.tenant, lease.job_id))
        told = rows.rows_of(spec, evidence)
        material = Material(
            audit_id=lease.job_id,
            spec=spec,
            evidence=evidence,
            baseline=None if spec.baseline is None else self._report(spec.baseline),
            service=versions().get("brinell", "unknown"),
            now=self._store.server_time(),
        )
        return compose(material, told, self._gallery(lease.tenant, spec, evidence, told))

    def _report(self, digest: str) -> Report:
        return Report.model_validate_json(self._library.get(digest))

    def _evidence(self, tenant: str, audit_id: str) -> Iterator[Evidence]:
        for job_id in [job.job_id for job in self._audits.get(tenant, audit_id).jobs]:
            findings = list(self._findings(tenant, job_id))
            yield Evidence(self._store.jobs.get(tenant, job_id), self._store.jobs.spec(tenant, job_id), findings)

    def _findings(self, tenant: str, job_id: str) -> Iterator[Finding]:
        cursor = None
        while True:
            page = self._store.findings.page(tenant, job_id, cursor, PAGE)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def _gallery(
        self, tenant: str, spec: AuditSpec, evidence: Sequence[Evidence], told: Sequence[SampleRow]
    ) -> Gallery | None:
        chosen = gallery.choose(told)
        if not chosen:
            return None
        x, _ = load_rows(self._library.get(spec.samples.sha256), [row.index for row in chosen])
        points: dict[int, NDArray[np.float32]] = {}
        for one in evidence:
            wanted = {row.index for row in chosen if row.upper_by == one.method.name}
            points |= self._points(tenant, one.job.id, wanted) if wanted else {}
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

    def _points(self, tenant: str, job_id: str, wanted: set[int]) -> dict[int, NDArray[np.float32]]:
        """{row of the upload: adversarial point} of one job, one of its chunks in memory at a time."""
        points: dict[int, NDArray[np.float32]] = {}
        for digest in self._store.findings.adversarial_digests(tenant, job_id):
            with np.load(io.BytesIO(self._library.get(digest)), allow_pickle=False) as stored:
                found = zip(stored["index"].tolist(), stored["x"], strict=True)
                points.update((index, x.copy()) for index, x in found if index in wanted)
        return points
