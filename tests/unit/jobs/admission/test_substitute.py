"""Every refusal that concerns a substitute that a job trains itself, and the stages that the job has."""

from typing import Any

import pytest

from algorithms.errors import Refused
from algorithms.registry import method
from algorithms.seam.access import Access
from jobs.admission.admission import admit
from jobs.spec import JobSpec
from tests.jobs_for_tests import ready_card, request, samples_card

MODEL, SAMPLES = ready_card(offers=(Access.LABELS,)), samples_card()
OTHERS = samples_card(count=12)
SUBSTITUTE = {"name": "substitute", "seed_rows": 8, "held_out": 4, "oracle_queries": 15, "rounds": 2, "share": 0.25}


def admitted(others: Any = OTHERS, model: Any = MODEL, substitute: Any = SUBSTITUTE, **body: Any) -> JobSpec:
    asked = request(model, SAMPLES, **{"method": substitute, **body})
    return admit(asked, model, SAMPLES, auxiliary=others)


def test_rounds_of_queries_and_training_come_before_the_attack_on_the_substitute() -> None:
    spec = admitted()
    assert spec.rounds == (12, 2, 1)
    works = [work for work, _ in spec.stages]
    assert works == ["query", "imitate"] * 3 + ["surrogate", "run"]
    assert spec.attack == method("apgd").pinned


def test_where_a_rule_goes_by_scores_the_model_is_asked_for_them_before_the_attack() -> None:
    spec = admitted(model=ready_card(), threat={"goal": {"targeted": "least_likely"}})
    assert [work for work, _ in spec.stages][-4:] == ["imitate", "aim", "surrogate", "run"]


def test_no_worker_that_calls_endpoints_trains_and_no_other_calls_them() -> None:
    spec = admitted().model_copy(update={"queue": "probe"})
    queues = {work: spec.queue_of(work) for work, _ in spec.stages}
    assert queues == {"query": "probe", "imitate": "compute", "surrogate": "compute", "run": "probe"}
    assert spec.model_of("query") == MODEL
    assert spec.model_of("imitate").endpoint is None


REFUSALS = {
    "no samples to learn from": ({"others": None}, "invalid_request", "/auxiliary_samples_id", "to learn from"),
    "too few of them": (
        {"others": samples_card(count=11)},
        "invalid_request",
        "/auxiliary_samples_id",
        "12 auxiliary samples .* 11 are there",
    ),
    "of another shape": (
        {"others": samples_card(count=12, shape=(9,))},
        "shape_mismatch",
        "/auxiliary_samples_id",
        r"\[9\]",
    ),
    "in other units": (
        {"others": samples_card(count=12, maximum=255.0)},
        "invalid_request",
        "/auxiliary_samples_id",
        "from 0 to 255, the box from 0 to 1",
    ),
    "more rows than can be held": (
        {"model": ready_card(output=ready_card().output.model_copy(update={"classes": 10**7}))},
        "invalid_request",
        "/method/oracle_queries",
        "lower oracle_queries",
    ),
    "targets that are no classes": (
        {"threat": {"goal": {"targeted": [3] * 10}}},
        "label_out_of_range",
        "/threat/goal/targeted/0",
        "0 to 2",
    ),
    "counting": ({"threat": {"norm": "l0"}}, "norm_not_supported", "/threat/norm", "l2, linf"),
    "an unknown attack": (
        {"substitute": SUBSTITUTE | {"attack": "crown"}},
        "invalid_request",
        "/method/attack",
        "choose one of .*pgd",
    ),
    "an attack by itself": (
        {"substitute": SUBSTITUTE | {"attack": "substitute"}},
        "invalid_request",
        "/method/attack",
        "choose one of",
    ),
    "settings that the attack does not take": (
        {"substitute": SUBSTITUTE | {"settings": {"steps": 0}}},
        "invalid_request",
        "/method/settings",
        "steps",
    ),
    "no epsilon where the attack needs one": (
        {"substitute": SUBSTITUTE | {"attack": "autoattack"}},
        "epsilon_required",
        "/threat/epsilon",
        "On the surrogate",
    ),
    "another model named": (
        {"surrogate": ready_card()},
        "invalid_request",
        "/surrogate_model_id",
        "leave surrogate_model_id out",
    ),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_what_cannot_be_done_is_refused_with_a_place_and_a_way_out(case: str) -> None:
    changes, code, pointer, sentence = REFUSALS[case]
    body = {name: value for name, value in changes.items() if name == "threat"}
    rest = {name: value for name, value in changes.items() if name in ("others", "model", "substitute")}
    model = rest.get("model", MODEL)
    asked = request(model, SAMPLES, **{"method": rest.get("substitute", SUBSTITUTE), **body})
    with pytest.raises(Refused, match=sentence) as refusal:
        admit(asked, model, SAMPLES, auxiliary=rest.get("others", OTHERS), surrogate=changes.get("surrogate"))
    assert (refusal.value.code, refusal.value.pointer) == (code, pointer)


def test_an_unbounded_box_takes_all_auxiliary_samples() -> None:
    assert admitted(samples_card(count=12, minimum=-300.0, maximum=255.0), threat={"box": None}).rounds
