"""What stands beside a bracket and bounds nothing of it: scores, and certificates of other classifiers."""

from algorithms.registry import METHODS
from algorithms.seam.claims import Kind
from jobs.summary import Spread
from models.record import Archived

BESIDE = (Kind.ESTIMATE, Kind.SMOOTHED_LOWER_BOUND)
_CALLED = {method.name: method.called for method in METHODS if method.called}
SCORES = tuple(method.name for method in METHODS if method.proves is Kind.ESTIMATE)


class SampleEstimate(Archived):
    """One method says something near a sample's r* without bounding it. Its kind tells what may be thought of it.

    `value` null: it abstained, or the sample is wrong before any change. `estimate`: a score, on either side of r*;
    `smoothed_lower_bound`: a radius of another classifier, the smoothed one.
    """

    kind: Kind
    value: float | None
    confidence: float | None = None  # of a certificate
    interval: tuple[float, float] | None = None  # of a score
    status: str | None = None  # the method's own word on how the value came about, or why there is none
    figures: dict[str, float] = {}  # the numbers behind it that the method's row in the registry names


class MedianInterval(Archived):
    """The 95 % interval of a median is exact by order statistics, whatever law the values come from."""

    low: float | None  # 0 where the samples are too few for more; null: beyond every distance found
    high: float | None  # null: it has no end


class EstimateSummary(Archived):
    """A summary is over the samples that have the method's value; of a score, over those that are right besides."""

    kind: Kind
    samples: int | None  # null: of a report that did not count them
    value: Spread | None
    median_interval: MedianInterval | None = None  # of a score
    statuses: dict[str, int] = {}  # ok, degenerate, ..., or why it abstained -> samples


def title(score: str) -> str:
    """Says what prose calls a score; its name, where it has no other word or is a report's of a method long gone."""
    return _CALLED.get(score, score)
