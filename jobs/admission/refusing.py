"""Why a method does not fit a job's model and threat, in words that say what would. Pure."""

from algorithms import registry
from algorithms.errors import Refused
from algorithms.method import Method
from algorithms.seam.access import Access
from jobs.admission.fitting import NO_STEPS, RADIUS, SUBSTITUTES, Misfit, advice, lacking, misfit, needs_of
from jobs.request import JobRequest, Targeted
from models.cards import ModelCard

_PLACES: dict[Misfit, str] = {
    "access_too_weak": "/method/name",
    "norm_not_supported": "/threat/norm",
    "lattice_not_supported": "/threat/lattice",
    "goal_not_supported": "/threat/goal",
    "epsilon_required": "/threat/epsilon",
    "epsilon_refused": "/threat/epsilon",
}
_WORDS: dict[Misfit, str] = {
    "access_too_weak": "{method} needs {needs}; this model offers {offers}{none}.",
    "norm_not_supported": "{method} works in {norms}, not in {norm}.",
    "lattice_not_supported": "{method} needs any number of the box, not a lattice's alone; leave threat.lattice out.",
    "goal_not_supported": "{method} can only be {goals}.",
    "epsilon_required": "{method} answers at a radius only; give threat.epsilon.",
    "epsilon_refused": "{method} looks for a radius itself; leave threat.epsilon out.",
}
_WORDS_OF_CLASSES: dict[Misfit, str] = {
    "norm_not_supported": "{method} measures by no norm; leave threat.norm out.",
    "lattice_not_supported": "{method} cannot keep to a lattice; leave threat.lattice out.",
    "goal_not_supported": "{method} aims at every class; leave threat.goal out, and choose some by samples.indices.",
    "epsilon_refused": "{method} starts from no sample and knows no radius; leave threat.epsilon out.",
}


def check_method(method: Method, request: JobRequest, card: ModelCard) -> None:
    """Refuses a method that the model, the norm, the goal or an epsilon keeps from running.

    Raises Refused(access_too_weak, norm_not_supported, lattice_not_supported, goal_not_supported, epsilon_required,
    epsilon_refused).
    """
    found = misfit(method, request.method, request.threat, card)
    if found is None or found in RADIUS:
        _check_rule(request, card)
    if found is None:
        return
    told = _WORDS_OF_CLASSES if method.is_about_classes and found in _WORDS_OF_CLASSES else _WORDS
    sentence = told[found].format(
        method=method.name,
        needs=", ".join(needs_of(method, request.method)),
        offers=", ".join(card.offers),
        none=f", and {NO_STEPS}" if SUBSTITUTES in lacking(method, request.method, card) else "",
        norms=", ".join(method.norms),
        norm=request.threat.norm,
        goals=" or ".join(method.goals),
    )
    is_enough = told is _WORDS_OF_CLASSES or found in RADIUS
    detail = sentence if is_enough else f"{sentence} {advice(request.threat, card)}"
    raise Refused(detail, code=found, pointer=_PLACES[found])


def check_samples(method: Method, request: JobRequest) -> None:
    """Refuses samples where a method is about classes, and none where it is about samples. Raises Refused."""
    if method.is_about_classes and request.samples_id is not None:
        raise Refused(
            f"{method.name} starts from no sample, at the middle of the box, for each class of the model; "
            "leave samples_id out.",
            pointer="/samples_id",
        )
    if not method.is_about_classes and request.samples_id is None:
        others = ", ".join(row.name for row in registry.METHODS if row.is_about_classes)
        raise Refused(
            f"{method.name} is about samples; upload some and give their samples_id. Only {others} takes none.",
            pointer="/samples_id",
        )


def _check_rule(request: JobRequest, card: ModelCard) -> None:
    goal, told = request.threat.goal, card.probe and card.probe.classes
    rule = goal.targeted if isinstance(goal, Targeted) else None
    if told and (rule == "least_likely" or (rule == "runner_up" and told == 1)):
        raise Refused(
            f"{rule} ranks all scores, and this endpoint answers those of the {told} likeliest classes; use random, "
            f"{'runner_up, ' if told > 1 else ''}or name one target for each selected sample.",
            code="goal_not_supported",
            pointer="/threat/goal/targeted",
        )
    if rule in ("least_likely", "runner_up") and Access.SCORES not in card.offers:
        raise Refused(
            "least_likely and runner_up rank scores, and this model answers labels only; "
            "use random, or name one target for each selected sample.",
            code="goal_not_supported",
            pointer="/threat/goal/targeted",
        )
