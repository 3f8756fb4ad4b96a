"""The next phase of an audit whose jobs have ended so far: what it is to know, and the jobs that it consists of."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

import numpy as np

from algorithms.errors import NotFound
from algorithms.seam.access import Rows
from algorithms.seam.hint import Hint
from audits.asking import admission
from audits.asking.record import AuditSpec
from audits.document.closure import CLOSED
from audits.evidence.hints import Points, hints
from jobs.admission.admission import SelectedRows
from jobs.hints import GivenHints, most_points, packed
from jobs.spec import JobSpec
from jobs.store.store import Store
from models.library import Library
from models.samples import load_rows
from workers.archive import Archive


def next_phase(
    tenant: str, audit_id: str, *, store: Store, library: Library, keep: Callable[[bytes], str]
) -> tuple[JobSpec, ...]:
    """Returns the jobs of the next phase. Their hints are frozen by then: `keep` keeps bytes and returns their digest.

    The same ended jobs give the same hints and the same jobs, however often this is tried.
    """
    archive = Archive(store, library, tenant)
    spec = archive.audits.spec(tenant, audit_id)
    shape, phase = spec.samples.shape, archive.audits.phases_begun(tenant, audit_id)
    evidence = list(archive.evidence(audit_id))
    known = hints(evidence, _points_of(archive), most_points=most_points(shape))
    closed = {index for index, hint in known.items() if hint.reached <= CLOSED * hint.proven}
    seconds = sum(one.job.summary.seconds_with_prepare for one in evidence if one.job.summary)
    jobs = admission.jobs_of_phase(spec, phase, _rows(spec, library), closed=closed, seconds=seconds)
    return tuple(_given(job, known, shape, keep) for job in jobs)


def _points_of(archive: Archive) -> Points:
    """The points that are there: where their bytes are gone, they leave no hint."""

    def points(job_id: str, wanted: Iterable[int]) -> Mapping[int, Rows]:
        with suppress(NotFound):
            return archive.points(job_id, wanted)
        return {}

    return points


def _rows(spec: AuditSpec, library: Library) -> SelectedRows | None:
    """The rows that admission must see; None: it needs none."""
    indices = admission.needed_rows(spec.request, spec.model, spec.samples)
    return None if indices is None else SelectedRows(*load_rows(library.get(spec.samples.sha256), indices))


def _given(job: JobSpec, known: Mapping[int, Hint], shape: tuple[int, ...], keep: Callable[[bytes], str]) -> JobSpec:
    """The job with the hints about its samples, where its method takes any."""
    ours = {index: known[index] for index in job.indices if index in known}
    if not ours or not job.method.takes_hints:
        return job
    given = GivenHints(
        digest=keep(packed(ours, shape)),
        points=sum(hint.point is not None for hint in ours.values()),
        reached=sum(bool(np.isfinite(hint.reached)) for hint in ours.values()),
        proven=sum(hint.proven > 0 for hint in ours.values()),
    )
    return job.model_copy(update={"hints": given})
