"""Recipes: which methods an audit runs, how hard, and on how many samples. Released ones are never edited.

A recipe names more methods than any one model can take: each runs where the model offers what it needs and where it
knows the norm and the goal. What cannot run is skipped, with the reason. A given epsilon goes to every method that
takes one; CLEVER looks for its radius itself.

`quick-1` is for a first look and for every commit: it fits two minutes for a small network and 200 samples on two
cores. There CLEVER, which takes thousands of gradients a sample, scores the first 20 only, CROWN ends its search some
per cent below what it could prove, and intervals, which CROWN contains, are left out. `standard-1` is for a release,
`thorough-1` for a claim that others will attack.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter

from algorithms.method import Budget
from algorithms.registry import METHODS, MethodParams
from algorithms.seam.threat import Threat
from audits.asking.request import AuditRequest
from jobs.fitting import goal_of, misfit
from jobs.request import BudgetRequest, ThreatRequest
from models.cards import ModelCard


@dataclass(frozen=True)
class Step:
    """One method of a recipe. `samples`: at most the first so many of the audit's; None: all."""

    method: str
    queries: int = 10_000  # a sample
    samples: int | None = None
    params: Mapping[str, Any] = field(default_factory=dict)


RECIPES: dict[str, tuple[Step, ...]] = {
    "quick-1": (
        Step("noise", queries=200),
        Step("pgd", params={"steps": 20, "restarts": 2, "search_steps": 8}),
        Step("square", queries=500),
        Step("hopskipjump", queries=1_000),
        Step("crown", params={"search_steps": 5}),
        Step("nearest_neighbor"),
        Step("smoothing", queries=1_101, params={"n0": 100, "n": 1_000}),
        Step("clever", samples=20, params={"preset": "quick"}),
    ),
    "standard-1": (
        Step("noise", queries=1_000),
        Step("pgd", params={"steps": 50, "restarts": 5}),
        Step("square", queries=5_000),
        Step("hopskipjump", queries=10_000),
        Step("crown"),
        Step("intervals"),
        Step("nearest_neighbor"),
        Step("smoothing", queries=10_101, params={"n0": 100, "n": 10_000}),
        Step("clever", samples=100, params={"preset": "standard"}),
    ),
    "thorough-1": (
        Step("noise", queries=10_000),
        Step("pgd", queries=100_000, params={"steps": 100, "restarts": 20}),
        Step("square", queries=20_000),
        Step("hopskipjump", queries=50_000),
        Step("crown"),
        Step("intervals"),
        Step("nearest_neighbor"),
        Step("smoothing", queries=100_101, params={"n0": 100, "n": 100_000}),
        Step("clever", params={"preset": "standard"}),
    ),
}

_PARAMS: TypeAdapter[MethodParams] = TypeAdapter(MethodParams)
_BY_NAME = {method.name: method for method in METHODS}


@dataclass(frozen=True)
class Choice:
    """A method that will run, with its parameters."""

    params: MethodParams
    budget: BudgetRequest
    samples: int | None


@dataclass(frozen=True)
class Obstacle:
    """A method that will not run, and why."""

    method: str
    reason: str


def choose(request: AuditRequest, card: ModelCard) -> tuple[tuple[Choice, ...], tuple[Obstacle, ...]]:
    """What of the recipe runs on this model under this threat, and what does not, both in the recipe's order."""
    chosen: list[Choice] = []
    skipped: list[Obstacle] = []
    for name, choice in _wanted(request):
        reason = "This installation does not have it." if choice is None else _obstacle(choice, request.threat, card)
        if choice is not None and reason is None:
            chosen.append(choice)
        else:
            skipped.append(Obstacle(name, reason or ""))
    return tuple(chosen), tuple(skipped)


def _wanted(request: AuditRequest) -> list[tuple[str, Choice | None]]:
    """None: this installation does not have the method."""
    if isinstance(request.recipe, list):
        return [(params.name, _by_itself(params)) for params in request.recipe]
    return [(step.method, _choice(step)) for step in RECIPES[request.recipe]]


def _by_itself(params: MethodParams) -> Choice:
    """Under a job's default budget, or what these parameters need at least."""
    least = _BY_NAME[params.name].minimum(params, Threat()).queries
    return Choice(params, BudgetRequest(queries_per_sample=max(Budget().queries or 0, least)), None)


def _choice(step: Step) -> Choice | None:
    if step.method not in _BY_NAME:
        return None
    params = _PARAMS.validate_python({"name": step.method, **step.params})
    return Choice(params, BudgetRequest(queries_per_sample=step.queries), step.samples)


def _obstacle(choice: Choice, threat: ThreatRequest, card: ModelCard) -> str | None:
    """Why it does not run, in a sentence. An epsilon that it refuses is no obstacle: it gets none."""
    method = _BY_NAME[choice.params.name]
    match misfit(method, threat, card):
        case "access_too_weak":
            lacking = [need for need in method.needs if need not in card.offers]
            why = {withheld.offer: withheld.reason for withheld in card.withheld}
            told = "; ".join(why[need] for need in lacking if need in why)
            return f"It needs {', '.join(lacking)}, which this model does not offer{': ' + told if told else ''}."
        case "norm_not_supported":
            return f"It works in {', '.join(method.norms)}, not in {threat.norm}."
        case "goal_not_supported":
            return f"It cannot be {goal_of(threat)}."
        case "epsilon_required":
            return "It answers at a radius only; give threat.epsilon."
    if method.wants_basis(choice.params):
        return "Its directions need auxiliary samples, which an audit does not have; run it as a job."
    return None
