"""Does a method fit a model and a threat? One verdict, which jobs and audits put into words of their own. Pure."""

from typing import Literal

from algorithms import registry
from algorithms.method import Method, Params
from jobs.request import Targeted, ThreatRequest
from models.cards import ModelCard

Misfit = Literal[
    "access_too_weak",
    "norm_not_supported",
    "lattice_not_supported",
    "goal_not_supported",
    "epsilon_required",
    "epsilon_refused",
]
SUBSTITUTES = "substitutes for gradients"
NO_STEPS = "no steps of a graph are seen to hide its gradients"  # why a model has none
RADIUS: tuple[Misfit, ...] = ("epsilon_required", "epsilon_refused")  # another epsilon would mend it


def misfit(method: Method, params: Params, threat: ThreatRequest, card: ModelCard) -> Misfit | None:
    """Names the first thing that keeps the method from running, by the code of its refusal; None where it runs."""
    if lacking(method, params, card):
        return "access_too_weak"
    if threat.norm not in (method.norms or (ThreatRequest().norm,)):  # where none is known, left out
        return "norm_not_supported"
    if threat.lattice is not None and not method.keeps_lattice:
        return "lattice_not_supported"
    if goal_of(threat) not in (method.goals or ("untargeted",)):
        return "goal_not_supported"
    if method.epsilon == "required" and threat.epsilon is None:
        return "epsilon_required"
    if method.epsilon == "refused" and threat.epsilon is not None:
        return "epsilon_refused"
    return None


def advice(threat: ThreatRequest, card: ModelCard) -> str:
    """Names the methods about samples that a model, norm and goal would fit, and the parameter that makes one fit."""
    fits = []
    for row in (row for row in registry.METHODS if not row.is_about_classes):
        ways = [(row.name, row.params(name=row.name))]
        if row.labels_with is not None:
            name, value = row.labels_with
            asked = row.params.model_validate({"name": row.name, name: value})
            ways.append((f"{row.name} with {name}: {value}", asked))
        fits += [way for way, params in ways if misfit(row, params, threat, card) in (None, *RADIUS)][:1]
    return f"What fits is {', '.join(fits)}." if fits else "No method here fits this model, norm and goal."


def needs_of(method: Method, params: Params) -> tuple[str, ...]:
    """Lists what a method needs of a model with these parameters, in words."""
    needs = method.needs_with(params)
    return (*needs, SUBSTITUTES) if method.by_substitutes else needs


def lacking(method: Method, params: Params, card: ModelCard) -> tuple[str, ...]:
    """Lists what of that a model does not have."""
    has = {*card.offers, SUBSTITUTES} if card.substitutes else set[str](card.offers)
    return tuple(need for need in needs_of(method, params) if need not in has)


def goal_of(threat: ThreatRequest) -> Literal["untargeted", "targeted"]:
    """Names the goal as methods do, without the targets."""
    return "targeted" if isinstance(threat.goal, Targeted) else "untargeted"
