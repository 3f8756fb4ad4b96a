"""What must hold for a model to pass: rules over metrics, and who answers for the exceptions."""

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, ValidationError, model_validator

from algorithms.errors import Refused
from audits.document.estimates import SCORES
from audits.document.verdict import MASKING, Severity, Waiver
from audits.policy import text as policy_text
from jobs.request import Number
from models.record import Record

_NAMES = (
    "clean_accuracy",
    "certified_accuracy",
    "empirical_robust_accuracy",
    "robust_accuracy",
    "attack_success_rate",
    "smoothed_certified_accuracy",
    "median_upper_bound",
    "median_lower_bound",
    *(f"{score}_{summary}" for score in SCORES for summary in ("mean", "median", "min")),
)
if TYPE_CHECKING:
    MetricName = str
else:  # grown from the registry, as the methods of a request are
    MetricName = Literal[_NAMES]
AT_A_RADIUS = frozenset(
    {
        "certified_accuracy",
        "empirical_robust_accuracy",
        "robust_accuracy",
        "attack_success_rate",
        "smoothed_certified_accuracy",
    }
)
COMPARABLE = frozenset(
    {"clean_accuracy", "certified_accuracy", "empirical_robust_accuracy", "smoothed_certified_accuracy"}
)
MAX_RULES = 100
POINTER = "/policy"

Text = Annotated[str, Field(min_length=1, max_length=200)]


class Rule(Record):
    """A rule is one metric and what it must keep to: `at_least` or `at_most`, `max_drop_from_baseline`, or both.

    Of a bound and a drop both must hold: the worse of the two decides. A drop needs `baseline_audit_id`.
    `at`: the radius of the metrics that have one; left out, the audit's epsilon. `confidence`: the bound must hold for
    the whole two-sided interval at this level; left out, the observed value decides.
    """

    name: Text
    metric: MetricName
    at_least: Number | None = None
    at_most: Number | None = None
    at: Annotated[Number, Field(gt=0)] | None = None
    confidence: Annotated[Number, Field(ge=0.5, lt=1)] | None = None
    max_drop_from_baseline: Annotated[Number, Field(ge=0, le=1)] | None = None
    severity: Severity = "fail"

    @model_validator(mode="after")
    def _asks_one_thing(self) -> Self:
        if self.at_least is not None and self.at_most is not None:
            raise ValueError("give at_least or at_most, not both; two rules may name one metric")
        if not self.has_bound and self.max_drop_from_baseline is None:
            raise ValueError("give at_least or at_most, max_drop_from_baseline, or one of the former with the latter")
        if self.max_drop_from_baseline is not None and self.metric not in COMPARABLE:
            raise ValueError(f"max_drop_from_baseline works with {', '.join(sorted(COMPARABLE))}")
        bounds = [bound for bound in (self.at_least, self.at_most) if bound is not None]
        if self.metric.endswith(("_accuracy", "_rate")) and not all(0 <= bound <= 1 for bound in bounds):
            raise ValueError(f"{self.metric} is a share: give a bound from 0 to 1, such as 0.95")
        if self.at is not None and self.metric not in AT_A_RADIUS:
            raise ValueError(f"{self.metric} has no radius; leave at out")
        return self

    @property
    def has_bound(self) -> bool:
        """The rule bounds its metric, beside or without a drop."""
        return self.at_least is not None or self.at_most is not None


class Policy(Record):
    rules: Annotated[tuple[Rule, ...], Field(min_length=1, max_length=MAX_RULES)]
    waivers: Annotated[tuple[Waiver, ...], Field(max_length=MAX_RULES)] = ()

    @model_validator(mode="after")
    def _names_fit(self) -> Self:
        names = [rule.name for rule in self.rules]
        if len(set(names)) < len(names):
            raise ValueError("each rule needs a name of its own")
        for waiver in self.waivers:
            if waiver.rule is not None and waiver.rule not in names:
                raise ValueError("a waiver names a rule that the policy does not have")
            if waiver.alarm is not None and waiver.alarm not in MASKING:
                raise ValueError(
                    f"a waiver names an alarm that holds no pass back; those that do: {', '.join(MASKING)}"
                )
        return self


def from_text(text: str) -> Policy:
    """Reads the text of a JSON or YAML file. Raises Refused(invalid_request) that names the place in it."""
    try:
        return Policy.model_validate(policy_text.parse(text))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = "/".join(str(part) for part in first["loc"]) or "its top"
        why = first["msg"].removeprefix("Value error, ")
        raise Refused(f"The policy does not fit at {where}: {why}.", pointer=POINTER) from None


def check(policy: Policy, *, epsilon: float | None) -> None:
    """Refuses a policy that asks what the audit does not look for. Raises Refused(invalid_request)."""
    for i, rule in enumerate(policy.rules):
        here = f"{POINTER}/rules/{i}"
        if rule.metric in AT_A_RADIUS and rule.at is None and epsilon is None and rule.metric != "attack_success_rate":
            raise Refused(f"{rule.metric} needs a radius: give the rule an at, or threat.epsilon.", pointer=here)
        if rule.at is not None and epsilon is not None and rule.at > epsilon:
            raise Refused(
                "The audit looks only as far as threat.epsilon; leave epsilon out, or lower at.", pointer=f"{here}/at"
            )
