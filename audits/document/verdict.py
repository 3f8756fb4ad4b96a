"""What a policy comes to: one verdict for the whole, and one line for each of its rules."""

from datetime import date
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from models.record import Archived

Overall = Literal["pass", "fail", "inconclusive"]
RuleVerdict = Literal["pass", "fail", "inconclusive", "warn", "noted"]
EvidenceKind = Literal["certified", "empirical", "estimate"]
Severity = Literal["fail", "warn"]
MASKING = (  # the alarms by which attacks may have been blind
    "masked_gradients",
    "saturated_scores",
    "black_box_beats_white_box",
    "noise_suffices",
    "no_white_box",
    "masking",
)
Said = Annotated[str, Field(pattern=r"\S")]  # not left blank


class Waiver(Archived):
    """Somebody answers for a rule that does not pass, or for an alarm that holds passes back, until a day."""

    rule: str | None = None
    alarm: str | None = None
    reason: Said
    by: Said
    until: date | None = None  # the last day on which it counts; null: for good

    @model_validator(mode="after")
    def _names_one_thing(self) -> Self:
        if (self.rule is None) == (self.alarm is None):
            raise ValueError("a waiver names exactly one of rule and alarm")
        return self

    def counts_on(self, today: date) -> bool:
        """Tell whether it has not ended before today."""
        return self.until is None or today <= self.until


class RuleOutcome(Archived):
    """An outcome is one rule, what was observed, and what follows.

    `warn`: not met, and never fails the policy; `noted`: an estimate that meets its bound, which proves nothing.
    `low` and `high` are the interval of `observed`: at the rule's confidence, 95 % where it names none.
    """

    name: str
    metric: str
    at: float | None = None
    at_least: float | None = None
    at_most: float | None = None
    confidence: float | None = None
    max_drop_from_baseline: float | None = None
    baseline: float | None = None  # the metric in the baseline audit
    severity: Severity = "fail"
    observed: float | None
    low: float | None
    high: float | None
    evidence: EvidenceKind
    verdict: RuleVerdict
    needed_samples: int | None = None  # of an inconclusive rule: how many would decide it, were the observed to stay
    detail: str = ""  # why, in a sentence
    waiver: Waiver | None = None
    held_back_by: tuple[str, ...] = ()  # the alarms without which it would pass
    waived_alarms: tuple[Waiver, ...] = ()  # who answers for those that would have held its pass back


class Verdict(Archived):
    """A verdict is null while the audit runs, without a policy, and where the audit could not run."""

    verdict: Overall | None
    rules: tuple[RuleOutcome, ...] = ()
