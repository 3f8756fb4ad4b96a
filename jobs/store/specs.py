"""Job specs as they are kept: what the job's other fields and the cards say already is not said twice.

A job's hash names its model and samples by id, and its request has a field of its own, which names the rows, too. While
the job lives model and samples cannot be removed, so whoever computes it finds the cards where they are; only the shape
of a sample outlives them.
"""

import json
from collections.abc import Mapping
from typing import Any

from jobs.property import PropertySpec
from jobs.request import Selection
from jobs.spec import JobSpec

KEPT_ELSEWHERE = {"request", "model", "samples", "auxiliary", "surrogate"}


def written(spec: JobSpec) -> str:
    """Writes the JSON of the field `spec`."""
    return spec.model_dump_json(exclude=KEPT_ELSEWHERE | said_twice(spec.indices, spec.request.samples))


def written_property(spec: PropertySpec) -> str:
    """Writes the JSON of the field `spec` of a property."""
    return spec.model_dump_json(exclude={"request", "model"})


def read_property(spec: str, request: str, model: str) -> PropertySpec:
    """Reads a property's spec from its field, its request's and its model's card."""
    return PropertySpec.model_validate(json.loads(spec) | {"request": json.loads(request), "model": json.loads(model)})


def said_twice(indices: tuple[int, ...], selection: Selection) -> set[str]:
    """Names the rows among what need not be written, where the request names the very same: 100,000 take 600 KB."""
    return {"indices"} if list(indices) == _named(selection.model_dump()) else set()


def read(spec: str, elsewhere: Mapping[str, str]) -> JobSpec:
    """Reads a spec from its field and the JSON of what is kept elsewhere, of which some may be missing."""
    parts = {name: json.loads(text) for name, text in elsewhere.items() if name in KEPT_ELSEWHERE}
    told = json.loads(spec)
    return JobSpec.model_validate(told | parts | {"indices": rows(told, parts["request"])})


def rows(spec: Mapping[str, Any], request: Mapping[str, Any]) -> list[int]:
    """Lists the selected rows of the upload, from the spec of a job or an audit or from its request."""
    return spec["indices"] if "indices" in spec else _named(request["samples"])


def _named(selection: Mapping[str, Any]) -> list[int]:
    indices: list[int] | None = selection.get("indices")
    return list(range(selection["limit"] or 0)) if indices is None else indices
