"""What the chunks of a job found, as callers and reports read it."""

import json
from collections.abc import Iterator

from algorithms.seam.claims import Finding
from jobs.page import Page
from jobs.result import ChunkResult, WholeFinding
from jobs.store import specs
from jobs.store.connection.connection import Connection
from jobs.store.details import whole
from jobs.store.names import checked, found, key, missing
from jobs.store.sections.objects import place
from models.library import Library


class Findings:
    """Reads the results of committed chunks."""

    def __init__(self, connection: Connection, library: Library) -> None:
        self._connection, self._library = connection, library

    def page(self, tenant: str, job_id: str, cursor: str | None = None, limit: int = 100) -> Page[Finding]:
        """Lists findings in the order of the selection; of a live job those of the chunks that are committed by now."""
        items: list[Finding] = []
        for position, finding in self._from(tenant, checked(job_id, "job"), place(cursor, start=0)):
            if len(items) == limit:
                return Page(items=tuple(items), next_cursor=str(position))
            items.append(finding)
        return Page(items=tuple(items))

    def get(self, tenant: str, job_id: str, index: int) -> WholeFinding:
        """Returns what was found of one row of the upload, its details whole, with its seconds.

        Raises NotFound until it is found.
        """
        name = key("t", tenant, "job", checked(job_id, "job"))
        (row,) = self._connection.ask(("HMGET", name, "spec", "request", "chunk_size", "chunks_at_once"))
        spec, request, size = (found(value) for value in row[:3])
        rows = specs.rows(json.loads(spec), json.loads(request))
        position = rows.index(index) if index in rows else None
        last = found(position) // int(size)
        (chunks,) = self._connection.ask(("HMGET", f"{name}:chunks", *range(_first(last, row[3]), last + 1)))
        result = ChunkResult.model_validate_json(found(next(filter(None, reversed(chunks)), None)))
        finding = whole(found(next((f for f in result.findings if f.index == index), None)), self._library.get)
        return WholeFinding(**finding.model_dump(), curve_seconds=result.curve_seconds.get(index))

    def adversarial_digests(self, tenant: str, job_id: str) -> list[str]:
        """Names the npz files {index, x, label} that the job's chunks left in the library, in the order of chunks."""
        name = key("t", tenant, "job", checked(job_id, "job"))
        exists, chunks = self._connection.ask(("EXISTS", name), ("HGETALL", f"{name}:chunks"))
        if not exists:
            raise missing()
        results = (ChunkResult.model_validate_json(chunks[i]) for i in sorted(chunks, key=int))
        return [result.adversarials for result in results if result.adversarials]

    def _from(self, tenant: str, job_id: str, position: int) -> Iterator[tuple[int, Finding]]:
        name = key("t", tenant, "job", job_id)
        (row,) = self._connection.ask(("HMGET", name, "chunk_size", "samples_total", "chunks_at_once"))
        size, total = (int(found(value)) for value in row[:2])
        wide = max(1, 1000 // size)  # chunks read at a time
        for first in range(_first(position // size, row[2]), -(-total // size), wide):
            numbers = range(first, first + wide)
            (chunks,) = self._connection.ask(("HMGET", f"{name}:chunks", *numbers))
            for number, chunk in zip(numbers, chunks, strict=True):
                results = ChunkResult.model_validate_json(chunk).findings if chunk else ()
                yield from ((n, f) for n, f in enumerate(results, start=number * size) if n >= position)


def _first(chunk: int, at_once: str | None) -> int:
    """The first chunk whose result may hold this one's: several that a worker took in a row have one result."""
    return max(0, chunk + 1 - int(at_once or 1))
