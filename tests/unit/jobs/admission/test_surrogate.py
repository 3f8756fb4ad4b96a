"""Every refusal that concerns a job's surrogate, and the job that its first stage is."""

from typing import Any

import pytest

from algorithms.errors import Conflict, Refused
from algorithms.registry import method
from algorithms.seam.access import Access
from jobs.admission.admission import admit
from jobs.spec import JobSpec
from tests.jobs_for_tests import ready_card, request, samples_card

MODEL, SAMPLES = ready_card(offers=(Access.LABELS,)), samples_card()
SURROGATE = ready_card().model_copy(update={"id": "mdl_" + "s" * 22})


def admitted(surrogate: Any = SURROGATE, model: Any = MODEL, **body: Any) -> JobSpec:
    asked = request(model, SAMPLES, **{"method": {"name": "transfer"}, **body})
    return admit(asked, model, SAMPLES, surrogate=surrogate)


def test_the_first_stage_is_the_attack_on_the_surrogate_as_a_job_there_would_be() -> None:
    spec = admitted(
        method={"name": "transfer", "attack": "pgd", "settings": {"steps": 7}},
        budget={"queries_per_sample": 20, "repeats": 3},
    )
    assert [work for work, _ in spec.stages] == ["surrogate", "run"]
    assert spec.attack == method("pgd").pinned
    there = spec.on_surrogate()
    assert (there.model, there.pinned, there.chunk_size) == (SURROGATE, "pgd@1", method("pgd").chunk)
    budget = there.request.budget
    assert (there.request.method.steps, budget.queries_per_sample, budget.repeats) == (7, None, 1)
    assert (there.indices, there.threat, there.samples) == (spec.indices, spec.threat, spec.samples)


@pytest.mark.parametrize("rule", ["least_likely", "runner_up"])
def test_a_rule_goes_by_the_scores_of_the_model_and_needs_none_of_the_surrogate(rule: str) -> None:
    surrogate = SURROGATE.model_copy(update={"offers": (Access.LABELS,)})
    threat, method = {"goal": {"targeted": rule}}, {"name": "transfer", "attack": "hopskipjump"}
    spec = admitted(surrogate, ready_card(), threat=threat, method=method).model_copy(update={"queue": "probe"})
    assert [work for work, _ in spec.stages] == ["aim", "surrogate", "run"]
    assert (spec.queue_of("aim"), spec.model_of("aim")) == ("probe", spec.model)


@pytest.mark.parametrize(("labelled", "works"), [(True, ["surrogate", "run"]), (False, ["aim", "surrogate", "run"])])
def test_a_rule_that_draws_by_labels_asks_for_those_alone_that_were_not_given(labelled: bool, works: list[str]) -> None:
    samples = samples_card(labelled=labelled)
    asked = request(MODEL, samples, method={"name": "transfer"}, threat={"goal": {"targeted": "random"}})
    spec = admit(asked, MODEL, samples, surrogate=SURROGATE)
    assert [work for work, _ in spec.stages] == works


def test_uploaded_models_are_never_opened_where_endpoints_are_called() -> None:
    spec = admitted().model_copy(update={"queue": "probe"})
    assert (spec.queue_of("surrogate"), spec.queue_of("run")) == ("compute", "probe")


REFUSALS = {
    "none": ({"surrogate": None}, "invalid_request", "/surrogate_model_id", "give surrogate_model_id"),
    "not wanted": ({"method": {"name": "noise"}}, "invalid_request", "/surrogate_model_id", "leave .* out"),
    "itself": ({"surrogate": MODEL}, "invalid_request", "/surrogate_model_id", "name another"),
    "another shape": (
        {"surrogate": SURROGATE.model_copy(update={"input": SURROGATE.input.model_copy(update={"shape": (9,)})})},
        "shape_mismatch",
        "/surrogate_model_id",
        r"\[9\]",
    ),
    "an unknown attack": (
        {"method": {"name": "transfer", "attack": "crown"}},
        "invalid_request",
        "/method/attack",
        "choose one of .*pgd",
    ),
    "an attack by itself": (
        {"method": {"name": "transfer", "attack": "transfer"}},
        "invalid_request",
        "/method/attack",
        "choose one of",
    ),
    "settings that are none": (
        {"method": {"name": "transfer", "attack": "pgd", "settings": {"stepz": 7}}},
        "invalid_request",
        "/method/settings",
        "stepz: there is no such parameter",
    ),
    "an attack that begins at no sample": (
        {"method": {"name": "transfer", "attack": "input_free"}},
        "invalid_request",
        "/method/attack",
        "choose one of (?!.*input_free)",
    ),
    "settings that name a method": (
        {"method": {"name": "transfer", "attack": "pgd", "settings": {"name": "fmn"}}},
        "invalid_request",
        "/method/settings",
        "leave name out",
    ),
    "settings that want auxiliary samples": (
        {"method": {"name": "transfer", "attack": "nes", "settings": {"directions": "spanning"}}},
        "invalid_request",
        "/method/settings",
        "nes .*auxiliary samples.*choose others",
    ),
    "settings that do not fit": (
        {"method": {"name": "transfer", "attack": "apgd", "settings": {"loss": "targeted_dlr"}}},
        "invalid_request",
        "/method/settings",
        "On the surrogate: .*three classes",
    ),
    "too little access": (
        {"surrogate": SURROGATE.model_copy(update={"offers": (Access.LABELS,)})},
        "access_too_weak",
        "/method/attack",
        "On the surrogate: apgd needs",
    ),
    "a rule that goes by scores where there are none": (
        {"threat": {"goal": {"targeted": "runner_up"}}},
        "goal_not_supported",
        "/threat/goal/targeted",
        "(?<!On the surrogate: )least_likely and runner_up rank scores",
    ),
}


@pytest.mark.parametrize(("body", "code", "pointer", "sentence"), REFUSALS.values(), ids=REFUSALS)
def test_a_refusal_says_what_and_where_and_what_to_do(body: dict[str, Any], code: str, pointer: str, sentence: str):
    with pytest.raises(Refused, match=sentence) as refused:
        admitted(**body)
    assert (refused.value.code, refused.value.pointer) == (code, pointer)


def test_a_surrogate_that_is_not_ready_is_a_conflict() -> None:
    with pytest.raises(Conflict, match="ready") as conflict:
        admitted(surrogate=SURROGATE.model_copy(update={"state": "inspecting", "input": None, "output": None}))
    assert (conflict.value.code, conflict.value.pointer) == ("model_not_ready", "/surrogate_model_id")
