"""One sample's line of a report: its bracket, what stands beside it, and what each method found."""

from typing import Any

from pydantic import model_validator

from algorithms.seam.claims import Ended, Kind
from audits.document import earlier
from audits.document.estimates import SampleEstimate
from jobs.summary import is_right
from models.record import Archived


class MethodResult(Archived):
    """A result is one method's finding about one sample, in short."""

    kind: Kind
    value: float | None
    reason: str | None = None  # of an abstention
    queries: int
    gradients: int
    ended: Ended
    fosc: float | None = None  # first-order stationarity of the last climb: 0 came to rest, 1 never left


class SampleRow(Archived):
    """A row is one sample: lower <= r* <= upper, each end with its method, and beside them what proves nothing.

    A sample that is wrong before any change has lower = upper = 0, both by `misclassified`.
    """

    index: int  # row in the upload
    label: int
    predicted: int
    lower: float | None  # null: no certificate says anything
    lower_by: str | None
    lower_confidence: float | None  # 1: a proof; less: with this probability
    upper: float | None  # null: no attack found a point
    upper_by: str | None
    estimates: dict[str, SampleEstimate] = {}  # by method
    clever: float | None  # this and the nine below: `estimates` in the words of the first reports
    clever_interval: tuple[float, float] | None = None
    clever_max: float | None = None  # the score with the plain largest gradient norm instead of the fitted end point
    clever_status: str | None = None  # as in the finding: ok, degenerate, ..., or why it abstained
    clever_radius: float | None = None  # of the ball whose gradients it saw; no score is larger
    clever_shape: float | None = None  # of the reverse Weibull that was fitted to the largest gradient norms
    clever_ks_p: float | None = None  # how well it fits: a small one means badly
    clever_end_point: float | None = None  # of the fit: the largest gradient norm it expects
    smoothed: float | None  # radius of another classifier, the smoothed one: never an end of the bracket
    smoothed_confidence: float | None = None
    alarms: tuple[str, ...] = ()  # codes
    methods: dict[str, MethodResult] = {}

    @model_validator(mode="before")
    @classmethod
    def _reads_earlier_reports(cls, given: Any) -> Any:
        return earlier.row_with_estimates(given)

    def value_of(self, method: str) -> float | None:
        """Returns what a method estimated; None where it did not."""
        estimate = self.estimates.get(method)
        return None if estimate is None else estimate.value

    @property
    def is_correct(self) -> bool:
        """The model answers the clean row with its label."""
        return is_right(self.label, self.predicted, [result.reason for result in self.methods.values()])
