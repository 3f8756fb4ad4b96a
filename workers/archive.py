"""What the jobs of an audit left behind, in the store and in the library, for those who go on with it."""

import io
from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from algorithms.seam.claims import Finding
from audits.evidence.evidence import Evidence
from audits.store import Audits
from jobs.store.store import Store
from models.library import Library

PAGE = 1000


class Archive:
    """An archive holds a tenant's audits, as a worker reads them."""

    def __init__(self, store: Store, library: Library, tenant: str) -> None:
        self.audits = Audits(store)
        self._store, self._library, self._tenant = store, library, tenant

    def evidence(self, audit_id: str) -> Iterator[Evidence]:
        """Yields what each job brought, in the order in which the recipe names them."""
        for job_id in [job.job_id for job in self.audits.get(self._tenant, audit_id).jobs]:
            job, spec = self._store.jobs.get(self._tenant, job_id), self._store.jobs.spec(self._tenant, job_id)
            yield Evidence(job, spec, list(self._findings(job_id)))

    def points(self, job_id: str, wanted: Iterable[int]) -> dict[int, NDArray[np.float32]]:
        """Returns {row of the upload: adversarial point} of one job, with one of its chunks in memory at a time."""
        rows, points = set(wanted), dict[int, NDArray[np.float32]]()
        for digest in self._store.findings.adversarial_digests(self._tenant, job_id):
            with np.load(io.BytesIO(self._library.get(digest)), allow_pickle=False) as stored:
                found = zip(stored["index"].tolist(), stored["x"], strict=True)
                points.update((index, x.copy()) for index, x in found if index in rows)
        return points

    def _findings(self, job_id: str) -> Iterator[Finding]:
        cursor = None
        while True:
            page = self._store.findings.page(self._tenant, job_id, cursor, PAGE)
            yield from page.items
            cursor = page.next_cursor
            if cursor is None:
                return
