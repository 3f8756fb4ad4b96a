"""The bound of a rule, and what follows from a number, an interval, or two ends of an unknown truth. Pure."""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, floor, isinf
from typing import Literal, Self

from algorithms.mathematics.statistics import clopper_pearson, sign_test
from audits.document.verdict import EvidenceKind
from audits.policy.metrics import LEVEL, Middle, Sampled, Share
from audits.policy.policy import Rule
from jobs.summary import Interval

ROUNDING = 1e-9  # of a rate times a number of samples that is whole
MOST_SAMPLES = 10_000_000  # nobody has more: a rule that needs them is not decidable

NO_SAMPLE = "There is no sample to observe it on."
TOO_FEW = "The interval contains the bound: too few samples to tell."
TOO_CLOSE = "The interval contains the bound, so near to what was observed that no number of samples would tell."
POINT_ALONE = (
    "The observed value alone decided, and its 95 % interval contains the bound: other samples could tell otherwise. "
    "With a confidence the rule would be inconclusive here."
)
SILENCE = "For half of the samples or more no point was found, and the silence of an attack is not safety."
ELSEWHERE = (
    "The methods looked at threat.epsilon only, which does not tell; leave it out to have the distances looked for."
)

BoundVerdict = Literal["pass", "fail", "inconclusive"]


@dataclass(frozen=True)
class BoundDecision:
    verdict: BoundVerdict
    evidence: EvidenceKind
    observed: float | None = None
    low: float | None = None
    high: float | None = None
    needed_samples: int | None = None
    detail: str = ""
    baseline: float | None = None


@dataclass(frozen=True)
class RuleBound:
    """A bound is a `value` from below (at_least) or from above. `level` None: the point decides, not its interval."""

    value: float
    is_floor: bool
    level: float | None

    @classmethod
    def of(cls, rule: Rule) -> Self:
        """Reads the bound of a rule that has one (`Rule.has_bound`)."""
        if rule.at_least is not None:
            return cls(rule.at_least, True, rule.confidence)
        assert rule.at_most is not None
        return cls(rule.at_most, False, rule.confidence)

    def holds(self, low: float, high: float) -> BoundVerdict:
        """Judges a quantity that lies somewhere in [low, high]."""
        if self.is_floor:
            return "pass" if low >= self.value else "fail" if high < self.value else "inconclusive"
        return "pass" if high <= self.value else "fail" if low > self.value else "inconclusive"

    def on_value(self, value: float | None, *, evidence: EvidenceKind) -> BoundDecision:
        if value is None:
            return BoundDecision("inconclusive", evidence, detail="No sample has this number.")
        return BoundDecision(self.holds(value, value), evidence, observed=value)

    def on_ends(self, seen: Interval, low: Sampled, high: Sampled, *, evidence: EvidenceKind) -> BoundDecision:
        """Judges what was `seen`, which with every distance looked for would lie between `low` and `high`."""
        bottom, top = low.interval(self.level or LEVEL), high.interval(self.level or LEVEL)
        assert bottom is not None  # of the samples that `seen` was observed on
        assert top is not None
        if isinf(bottom.value):
            return BoundDecision("inconclusive", evidence, detail=SILENCE)
        tends = self.holds(bottom.value, top.value)
        verdict = tends if self.level is None else self.holds(bottom.low, top.high)
        needed, said = None, ""
        if verdict == "inconclusive":
            needed = self.needed(low, high)
            said = ELSEWHERE if tends == "inconclusive" else TOO_FEW if needed else TOO_CLOSE
        elif self.holds(bottom.low, top.high) == "inconclusive":
            said = POINT_ALONE
        return BoundDecision(verdict, evidence, seen.value, bottom.low, top.high, needed, said)

    def on_truth(self, bottom: Interval | None, top: Interval | None, *, needed: int | None, gap: str) -> BoundDecision:
        """Judges a truth between two rates: certified below (None: nothing is, as `gap` explains), unbroken above."""
        if top is None:
            return BoundDecision("inconclusive", "certified", detail=NO_SAMPLE)
        below = bottom or Interval(value=0.0, low=0.0, high=0.0)
        low, high = (below.value, top.value) if self.level is None else (below.low, top.high)
        verdict = self.holds(low, high)
        evidence: EvidenceKind = "certified" if self.is_floor == (verdict != "fail") else "empirical"
        said = f"It lies between {below.value:.3g} (certified) and {top.value:.3g} (no attack got through)."
        if verdict != "inconclusive" and self.holds(below.low, top.high) == "inconclusive":
            said = f"{said} {POINT_ALONE}"
        seen = None if bottom is None else bottom.value
        return BoundDecision(verdict, evidence, seen, below.low, top.high, needed, f"{said} {gap}".strip())

    def needed(self, low: Sampled, high: Sampled) -> int | None:
        """Finds the smallest number of samples at which what was observed would decide; None where none would.

        Of the end that has to clear or miss the bound; None too where the bound lies between the two.
        """
        tends = self.holds(low.value, high.value)
        if self.level is None or tends == "inconclusive":
            return None
        end = low if (tends == "pass") == self.is_floor else high
        return self._needed_of_rate(end, self.level) if isinstance(end, Share) else self._needed_of_median(end)

    def _needed_of_rate(self, share: Share, level: float) -> int | None:
        rate = share.value
        if rate == self.value:
            return None
        return smallest(lambda n: self.holds(*_limits(rate, n, level, above=rate > self.value)) != "inconclusive")

    def _needed_of_median(self, middle: Middle) -> int | None:
        """Its interval clears the bound where a sign test on the two sides of the bound tells them apart."""
        surprise = 1 - (self.level or 0.0)
        held = middle.values >= self.value if self.is_floor else middle.values <= self.value
        fewer = min(float(held.mean()), 1 - float(held.mean()))
        if fewer == 0.5:
            return None
        return smallest(lambda n: sign_test(of_rate(fewer, n, up=True), n - of_rate(fewer, n, up=True)) <= surprise)


def _limits(rate: float, n: int, level: float, *, above: bool) -> tuple[float, float]:
    """Of n samples at this rate; where it is no whole number of them, of the one nearer to the bound."""
    return clopper_pearson(of_rate(rate, n, up=not above), n, level)


def of_rate(rate: float, n: int, *, up: bool) -> int:
    """Returns a rate as a whole number of n samples, rounded up or down."""
    return ceil(rate * n - ROUNDING) if up else floor(rate * n + ROUNDING)


def smallest(decides: Callable[[int], bool]) -> int | None:
    """Finds the smallest number that decides, by doubling and bisection; None where none does."""
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
