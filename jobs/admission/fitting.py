"""Does a method fit a model and a threat? One verdict, which jobs and audits put into words of their own. Pure."""

from typing import Literal

from algorithms.method import Method
from jobs.request import Targeted, ThreatRequest
from models.cards import ModelCard

Misfit = Literal["access_too_weak", "norm_not_supported", "goal_not_supported", "epsilon_required", "epsilon_refused"]
SUBSTITUTES = "substitutes for gradients"
NO_STEPS = "no steps of a graph are seen to hide its gradients"  # why a model has none
RADIUS: tuple[Misfit, ...] = ("epsilon_required", "epsilon_refused")  # another epsilon would mend it


def misfit(method: Method, threat: ThreatRequest, card: ModelCard) -> Misfit | None:
    """Names the first thing that keeps the method from running, by the code of its refusal; None where it runs."""
    if lacking(method, card):
        return "access_too_weak"
    if threat.norm not in method.norms:
        return "norm_not_supported"
    if goal_of(threat) not in method.goals:
        return "goal_not_supported"
    if method.epsilon == "required" and threat.epsilon is None:
        return "epsilon_required"
    if method.epsilon == "refused" and threat.epsilon is not None:
        return "epsilon_refused"
    return None


def needs_of(method: Method) -> tuple[str, ...]:
    """Lists what a method needs of a model, in words."""
    return (*method.needs, SUBSTITUTES) if method.by_substitutes else method.needs


def lacking(method: Method, card: ModelCard) -> tuple[str, ...]:
    """Lists what of that a model does not have."""
    has = {*card.offers, SUBSTITUTES} if card.substitutes else set[str](card.offers)
    return tuple(need for need in needs_of(method) if need not in has)


def goal_of(threat: ThreatRequest) -> Literal["untargeted", "targeted"]:
    """Names the goal as methods do, without the targets."""
    return "targeted" if isinstance(threat.goal, Targeted) else "untargeted"
