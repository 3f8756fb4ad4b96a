"""Tables and rules of a few samples, written down by hand."""

from typing import Any

import numpy as np

from audits.evidence.table import Table
from audits.policy.policy import Rule

NAN, INF = float("nan"), float("inf")


def table(**columns: Any) -> Table:
    """Ten samples, all right; columns left out are empty. `gaps` as they are; one smoothed certificate, one score."""
    n = next((len(column) for name, column in columns.items() if name != "gaps"), 10)
    full = {
        "indices": np.arange(n),
        "correct": np.ones(n, np.bool_),
        "lower": np.zeros(n),
        "upper": np.full(n, INF),
        "smoothed": np.full(n, -INF),
        "clever": np.full(n, NAN),
        "gaps": {},
    }
    given = {name: np.asarray(column) if name != "gaps" else column for name, column in columns.items()}
    columns = full | given
    smoothed, scores = {"smoothing": columns.pop("smoothed")}, {"clever": columns.pop("clever")}
    return Table(**columns, smoothed=smoothed, scores=scores)


def rule(metric: str, **given: Any) -> Rule:
    return Rule.model_validate({"name": metric, "metric": metric} | given)
