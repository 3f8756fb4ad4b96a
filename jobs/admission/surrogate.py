"""May a job attack this other model first? Every refusal that concerns its surrogate. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from pydantic import ValidationError

from algorithms import registry
from algorithms.errors import Conflict, Refused
from algorithms.method import Method, Params
from jobs.admission.labels import given_targets
from jobs.hints import most_points
from jobs.request import JobRequest, Targeted, ThreatRequest
from jobs.spec import JobSpec
from models.cards import ModelCard
from models.kinds import KINDS

PLACE, SETTINGS = "/surrogate_model_id", "/method/settings"
Admit = Callable[[JobRequest, ModelCard], JobSpec]
"""Admits a request on a model, about the same samples."""


def check(method: Method, card: ModelCard, surrogate: ModelCard | None) -> None:
    """Refuses a surrogate that is missing, in the way, or no stand-in for the model. Raises Refused, Conflict."""
    if not method.wants_surrogate:
        if surrogate is not None:
            raise Refused(f"{method.name} attacks no other model; leave surrogate_model_id out.", pointer=PLACE)
        return
    if surrogate is None:
        raise Refused(
            f"{method.name} tries what an attack finds on another model; give surrogate_model_id.", pointer=PLACE
        )
    if surrogate.id == card.id:
        raise Refused(
            "The surrogate is the model itself; name another one, or run the attack on this one.", pointer=PLACE
        )
    if KINDS[surrogate.kind].is_remote:
        raise Refused("An endpoint cannot be a surrogate; name an uploaded model.", pointer=PLACE)
    if surrogate.state != "ready" or surrogate.input is None:
        raise Conflict(
            f"The surrogate is {surrogate.state}: name one that is ready.", code="model_not_ready", pointer=PLACE
        )
    _check_likeness(card, surrogate)


def _check_likeness(card: ModelCard, surrogate: ModelCard) -> None:
    assert card.input is not None
    assert surrogate.input is not None
    here, there = list(card.input.shape), list(surrogate.input.shape)
    if here != there:
        raise Refused(
            f"The surrogate takes {there}, the model {here}; name one of the same shape.",
            code="shape_mismatch",
            pointer=PLACE,
        )
    classes, others = card.classes.count, surrogate.classes.count
    if classes != others:
        raise Refused(
            f"The surrogate knows {others} classes, the model {classes}; name one that tells the same apart.",
            pointer=PLACE,
        )


def attack_of(request: JobRequest, spec: JobSpec, surrogate: ModelCard, admit: Admit) -> str:
    """Names the attack on the surrogate with its version, once it is admitted there. Raises Refused."""
    assert spec.method.attack_on_surrogate is not None
    name, settings = spec.method.attack_on_surrogate(request.method)
    method = _attack(name)
    params = _params(method, settings)
    most = most_points(spec.shape)
    if len(spec.indices) > most:
        raise Refused(f"A job on points of a surrogate takes at most {most} samples of this shape; set samples.limit.")
    budget = request.budget.model_copy(update={"queries_per_sample": None})  # which is that of the model itself
    asked = request.model_copy(
        update={
            "surrogate_model_id": None,
            "model_id": surrogate.id,
            "method": params,
            "budget": budget,
            "threat": _aimed(request.threat),
        }
    )
    try:
        admit(asked, surrogate)
    except Refused as refused:
        pointer = SETTINGS if (refused.pointer or "").startswith("/method") else refused.pointer
        if refused.code == "access_too_weak":
            pointer = "/method/attack"
        raise Refused(f"On the surrogate: {refused.detail}", code=refused.code, pointer=pointer) from None
    return method.pinned


def _aimed(threat: ThreatRequest) -> ThreatRequest:
    """What the surrogate is asked for under a rule: targets that are known by then, so that it need rank no scores."""
    if threat.goal == "untargeted" or given_targets(threat.goal) is not None:
        return threat
    return threat.model_copy(update={"goal": Targeted(targeted="random")})


def _attack(name: str) -> Method:
    attacks = [m.name for m in registry.METHODS if _begins_at_samples(m) and m.attack_on_surrogate is None]
    if name not in attacks:
        raise Refused(f"There is no such attack; choose one of {', '.join(attacks)}.", pointer="/method/attack")
    return registry.method(name)


def _begins_at_samples(method: Method) -> bool:
    return method.family == "attack" and method.samples == "required"


def _params(method: Method, settings: Mapping[str, Any]) -> Params:
    if "name" in settings:
        raise Refused("The attack is named by `attack`; leave name out of settings.", pointer=SETTINGS)
    try:
        params = method.params.model_validate({**settings, "name": method.name})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        said = "there is no such parameter" if first["type"] == "extra_forbidden" else first["msg"]
        raise Refused(
            f"{method.name} does not take these settings: {where}: {said}. See its parameters.", pointer=SETTINGS
        ) from None
    if method.wants is not None and method.wants(params) is not None:
        raise Refused(
            f"{method.name} with these settings learns from auxiliary samples, which an attack on a surrogate cannot; "
            "choose others.",
            pointer=SETTINGS,
        )
    return params
