"""An audit in a few numbers: what its record shows without the report, and the report at its top."""

from typing import Any, Literal

from pydantic import model_validator

from audits.document import earlier
from audits.document.closure import Closure
from audits.document.estimates import EstimateSummary, MedianInterval
from jobs.summary import Interval, Spread
from models.record import Archived


class AuditSummary(Archived):
    """A summary is an audit in a few numbers. Rates have Clopper-Pearson 95 % intervals; a wrong sample counts as 0.

    Null: not computed, or (medians) more than half of the samples have none.
    """

    samples: int
    labels: Literal["given", "predicted"]
    clean_accuracy: Interval | None
    certified_accuracy: Interval | None  # at threat.epsilon
    empirical_robust_accuracy: Interval | None  # at threat.epsilon
    attack_success_rate: Interval | None  # of the samples not misclassified, within threat.epsilon if there is one
    median_lower_bound: float | None
    median_lower_interval: MedianInterval | None = None
    median_upper_bound: float | None
    median_upper_interval: MedianInterval | None = None  # given also where the median itself is not finite
    closure: Closure | None
    estimates: dict[str, EstimateSummary] = {}  # by method
    clever: Spread | None  # this and the four below: `estimates` in the words of the first reports
    clever_median_interval: MedianInterval | None = None
    clever_samples: int
    clever_statuses: dict[str, int] = {}  # ok, degenerate, ..., or why it abstained -> samples
    smoothed: Spread | None
    queries: int
    gradients: int
    seconds: float  # of computing, all jobs together
    alarms: dict[str, int]  # code -> samples that show it

    @model_validator(mode="before")
    @classmethod
    def _reads_earlier_reports(cls, given: Any) -> Any:
        return earlier.summary_with_estimates(given)
