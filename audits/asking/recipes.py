"""What of a recipe runs on a model under a threat, in which order, and why the rest does not. Pure.

A recipe names more methods than any one model can take: each runs where the model offers what it needs and where it
knows the norm and the goal. What cannot run is skipped, with the reason. A given epsilon goes to every method that
takes one; a score looks for its radius itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pydantic import TypeAdapter

from algorithms import registry
from algorithms.errors import Refused
from algorithms.method import Budget, Method
from algorithms.registry import MethodParams
from algorithms.threats.threat import Threat
from audits.asking.drafts import RECIPES
from audits.asking.recipe import RecipeStep, ReleasedRecipe
from audits.asking.request import AuditRequest
from jobs.admission.fitting import NO_STEPS, SUBSTITUTES, goal_of, lacking, misfit
from jobs.request import ThreatRequest
from models.cards import ModelCard

_PARAMS: TypeAdapter[MethodParams] = TypeAdapter(MethodParams)


@dataclass(frozen=True)
class ChosenMethod:
    """A chosen method will run, with these parameters, by `queries` a sample at the most.

    On the first `samples` of the audit's; None: on all. `only_open`: on those whose bracket is open by then.
    """

    method: Method  # in the version that the recipe names
    params: MethodParams
    queries: int
    samples: int | None
    only_open: bool = False


Runs = tuple[ChosenMethod, ...]  # of one phase


@dataclass(frozen=True)
class Obstacle:
    """An obstacle says why a method will not run."""

    method: str
    reason: str


def check(recipe: str, recipes: Mapping[str, ReleasedRecipe] = RECIPES) -> None:
    """A recipe is retired when a version that it names is no longer here. Raises Refused(not_available)."""
    gone = _gone(recipes[recipe])
    if not gone:
        return
    successor = next((name for name in _later(recipe, recipes) if not _gone(recipes[name])), None)
    advice = f"use {successor}" if successor else "name the methods themselves"
    raise Refused(
        f"{recipe} is retired: it names {', '.join(gone)}, which is no longer here; {advice}.",
        code="not_available",
        pointer="/recipe",
    )


def _gone(recipe: ReleasedRecipe) -> list[str]:
    return [step.method for step in recipe.steps if not registry.is_here(step.method)]


def _later(recipe: str, recipes: Mapping[str, ReleasedRecipe]) -> list[str]:
    """The recipes of the same series with a higher number, the next one first."""
    series, number = parts(recipe)
    return sorted((name for name in recipes if parts(name)[0] == series and parts(name)[1] > number), key=parts)


def parts(recipe: str) -> tuple[str, int]:
    """Reads quick-2 as ("quick", 2): the recipes of a series are ordered by number, not by name."""
    series, _, number = recipe.rpartition("-")
    return series, int(number)


def choose(request: AuditRequest, card: ModelCard) -> tuple[tuple[Runs, ...], tuple[Obstacle, ...]]:
    """Finds what of the recipe runs on this model under this threat, phase by phase, and what does not, in its order.

    A phase of which nothing runs is none.
    """
    phases: list[Runs] = []
    skipped: list[Obstacle] = []
    for wanted in _wanted(request):
        aimed = [_aimed(choice, request) for choice in wanted]
        told = [(choice, _obstacle(choice, request.threat, card)) for choice in aimed]
        skipped += [Obstacle(choice.params.name, reason) for choice, reason in told if reason is not None]
        if runs := tuple(choice for choice, reason in told if reason is None):
            phases.append(runs)
    return _made_up_for(request, phases), tuple(skipped)


def _made_up_for(request: AuditRequest, phases: Sequence[Runs]) -> tuple[Runs, ...]:
    """The phases, with the queries `from_outside` where no attack in them sees what is truly inside the model."""
    attacks = [choice.method for runs in phases for choice in runs if choice.method.finds_points]
    queries = RECIPES[request.recipe].from_outside if isinstance(request.recipe, str) else {}
    if any(attack.threat_model == "white_box" and not attack.by_substitutes for attack in attacks):
        queries = {}
    return tuple(
        tuple(replace(choice, queries=queries.get(choice.method.name, choice.queries)) for choice in runs)
        for runs in phases
    )


def _wanted(request: AuditRequest) -> list[list[ChosenMethod]]:
    if isinstance(request.recipe, list):
        return [[_by_itself(params) for params in request.recipe]]
    norm = str(request.threat.norm)
    phases = RECIPES[request.recipe].phases
    return [[_choice(step) for step in phase if step.norms is None or norm in step.norms] for phase in phases]


def _aimed(choice: ChosenMethod, request: AuditRequest) -> ChosenMethod:
    """A method that closes brackets is told the radii that rules hang on, and whether seconds end it."""
    if choice.method.closes is None:
        return choice
    radii = [rule.at for rule in request.policy.rules if rule.at is not None] if request.policy else []
    params = choice.method.closes(choice.params, radii, request.budget.seconds is not None)
    return replace(choice, params=params)


def ends_by_seconds(request: AuditRequest) -> bool:
    """Tells whether anything of a request can end by the clock: a later phase, or a method that closes brackets."""
    phases = _wanted(request)
    return len(phases) > 1 or any(choice.method.closes is not None for choice in phases[0])


def _by_itself(params: MethodParams) -> ChosenMethod:
    """Under a job's default budget, or what these parameters need at least."""
    method = registry.method(params.name)
    least = method.minimum(params, Threat()).queries
    return ChosenMethod(method, params, max(Budget().queries or 0, least), None)


def written(choice: ChosenMethod) -> RecipeStep:
    """Writes a chosen method down, with its version, so that `chosen` reads the same later or says that it cannot."""
    params = choice.params.model_dump(mode="json", exclude={"name"})
    return RecipeStep(choice.method.pinned, params, choice.queries, choice.samples, only_open=choice.only_open)


def chosen(step: RecipeStep) -> ChosenMethod:
    """Reads what was `written`. Raises Refused(not_available) where this version of the method is no longer here."""
    if not registry.is_here(step.method):
        raise Refused(
            f"This audit was planned with {step.method}, which is no longer here; start it again.",
            code="not_available",
            pointer="/recipe",
        )
    return _choice(step)


def _choice(step: RecipeStep) -> ChosenMethod:
    params = _PARAMS.validate_python({"name": step.name, **step.params})
    return ChosenMethod(registry.version(step.method), params, step.queries, step.samples, step.only_open)


def _obstacle(choice: ChosenMethod, threat: ThreatRequest, card: ModelCard) -> str | None:
    """Why it does not run, in a sentence. An epsilon that it refuses is no obstacle: it gets none."""
    method = choice.method
    if method.is_about_classes:
        return "It is about classes and begins from no sample, which an audit is about; run it as a job."
    match misfit(method, choice.params, threat, card):
        case "access_too_weak":
            lacks = lacking(method, choice.params, card)
            why = {str(withheld.offer): withheld.reason for withheld in card.withheld} | {SUBSTITUTES: NO_STEPS}
            told = "; ".join(dict.fromkeys(why[need].rstrip(".") for need in lacks if need in why))
            return f"It needs {', '.join(lacks)}, which this model does not offer{': ' + told if told else ''}."
        case "norm_not_supported":
            return f"It works in {', '.join(method.norms)}, not in {threat.norm}."
        case "lattice_not_supported":
            return "It needs any number of the box, not a lattice's alone."
        case "goal_not_supported":
            return f"It cannot be {goal_of(threat)}."
        case "epsilon_required":
            return "It answers at a radius only; give threat.epsilon."
    if (unfit := method.misfit(choice.params, card.classes.count)) is not None:
        return unfit
    if (wanted := method.wants(choice.params)) is not None:
        return f"It needs other samples {wanted.purpose}, which an audit does not have; run it as a job."
    if method.wants_surrogate:
        return "It attacks another model first, which an audit does not name; run it as a job."
    return None
