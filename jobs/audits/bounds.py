"""The bound of a rule, and what follows from a number, an interval, or two ends of an unknown truth. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, floor, isinf
from typing import Literal, Self

from algorithms.statistics import clopper_pearson
from jobs.audits.metrics import Share
from jobs.audits.policy import Rule
from jobs.audits.verdict import Evidence
from jobs.summary import Interval

ROUNDING = 1e-9  # of a rate times a number of samples that is whole
MOST_SAMPLES = 10_000_000  # nobody has more: a rule that needs them is not decidable

NO_SAMPLE = "There is no sample to observe it on."
TOO_FEW = "The interval contains the bound: too few samples to tell."
SILENCE = "For half of the samples or more no point was found, and the silence of an attack is not safety."
ELSEWHERE = (
    "The methods looked at threat.epsilon only, which does not tell; leave it out to have the distances looked for."
)

Outcome = Literal["pass", "fail", "inconclusive"]


@dataclass(frozen=True)
class Decision:
    verdict: Outcome
    evidence: Evidence
    observed: float | None = None
    low: float | None = None
    high: float | None = None
    needed_samples: int | None = None
    detail: str = ""
    baseline: float | None = None


@dataclass(frozen=True)
class Bound:
    """`value` from below (at_least) or from above. `level` None: the point decides, not its interval."""

    value: float
    is_floor: bool
    level: float | None

    @classmethod
    def of(cls, rule: Rule) -> Self:
        """Of a rule that has one (`Rule.has_bound`)."""
        if rule.at_least is not None:
            return cls(rule.at_least, True, rule.confidence)
        assert rule.at_most is not None
        return cls(rule.at_most, False, rule.confidence)

    def holds(self, low: float, high: float) -> Outcome:
        """Of a quantity that lies somewhere in [low, high]."""
        if self.is_floor:
            return "pass" if low >= self.value else "fail" if high < self.value else "inconclusive"
        return "pass" if high <= self.value else "fail" if low > self.value else "inconclusive"

    def on_value(self, value: float | None, *, evidence: Evidence) -> Decision:
        if value is None:
            return Decision("inconclusive", evidence, detail="No sample has this number.")
        return Decision(self.holds(value, value), evidence, observed=value)

    def on_ends(self, seen: Interval, low: Interval, high: Interval, *, evidence: Evidence) -> Decision:
        """`seen` was observed; with every distance looked for, it would lie between `low` and `high`."""
        if isinf(low.value):
            return Decision("inconclusive", evidence, detail=SILENCE)
        verdict = self.holds(low.value, high.value) if self.level is None else self.holds(low.low, high.high)
        said = ELSEWHERE if self.holds(low.value, high.value) == "inconclusive" else TOO_FEW
        return Decision(
            verdict, evidence, seen.value, low.low, high.high, detail=said if verdict == "inconclusive" else ""
        )

    def on_truth(self, bottom: Interval | None, top: Interval | None, *, needed: int | None, gap: str) -> Decision:
        """A truth between two rates: certified below (None: nothing is, which `gap` explains), unbroken above."""
        if top is None:
            return Decision("inconclusive", "certified", detail=NO_SAMPLE)
        below = bottom or Interval(value=0.0, low=0.0, high=0.0)
        low, high = (below.value, top.value) if self.level is None else (below.low, top.high)
        verdict = self.holds(low, high)
        evidence: Evidence = "certified" if self.is_floor == (verdict != "fail") else "empirical"
        said = f"It lies between {below.value:.3g} (certified) and {top.value:.3g} (no attack got through)."
        seen = None if bottom is None else bottom.value
        return Decision(verdict, evidence, seen, below.low, top.high, needed, f"{said} {gap}".strip())

    def needed_samples(self, share: Share) -> int | None:
        """The smallest number of samples found at which the observed rate would decide. None: none would."""
        if self.level is None or not share.of:
            return None
        rate, level = share.count / share.of, self.level
        if rate == self.value:
            return None
        return _smallest(lambda n: self.holds(*_limits(rate, n, level, above=rate > self.value)) != "inconclusive")

    def needed_for_truth(self, bottom: Share, top: Share) -> int | None:
        """Whichever end is on the right side of the bound by itself; None where the bound lies between them."""
        if not bottom.of:
            return None
        if bottom.count / bottom.of > self.value:
            return self.needed_samples(bottom)
        return self.needed_samples(top) if top.count / top.of < self.value else None


def _limits(rate: float, n: int, level: float, *, above: bool) -> tuple[float, float]:
    """Of n samples at this rate; where it is no whole number of them, of the one nearer to the bound."""
    count = floor(rate * n + ROUNDING) if above else ceil(rate * n - ROUNDING)
    return clopper_pearson(count, n, level)


def _smallest(decides: Callable[[int], bool]) -> int | None:
    """By doubling and bisection."""
    high = 1
    while not decides(high):
        high *= 2
        if high > MOST_SAMPLES:
            return None
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if decides(middle) else (middle, high)
    return high
