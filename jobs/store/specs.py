"""Job specs as they are kept: what the job's other fields and the cards say already is not said twice.

A job's hash names its model and samples by id, and its request has a field of its own. While the job lives they
cannot be removed, so whoever computes it finds the cards where they are; only the shape of a sample outlives them.
"""

import json
from collections.abc import Mapping

from jobs.spec import JobSpec

KEPT_ELSEWHERE = {"request", "model", "samples", "auxiliary"}


def written(spec: JobSpec) -> str:
    """Writes the JSON of the field `spec`."""
    return spec.model_dump_json(exclude=KEPT_ELSEWHERE)


def read(spec: str, elsewhere: Mapping[str, str]) -> JobSpec:
    """Reads a spec from its field and the JSON of what is kept elsewhere; `auxiliary` may be missing."""
    parts = {name: json.loads(text) for name, text in elsewhere.items() if name in KEPT_ELSEWHERE}
    return JobSpec.model_validate(json.loads(spec) | parts)
