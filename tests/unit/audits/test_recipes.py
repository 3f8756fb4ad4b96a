"""Which methods an audit runs on which model, and why not the others."""

import hashlib
import json
from dataclasses import asdict

import pytest

from algorithms.errors import Conflict, Refused
from algorithms.registry import METHODS
from algorithms.seam.access import Access
from audits.asking.admission import admit
from audits.asking.recipes import RECIPES
from audits.asking.request import AuditRequest
from models.cards import Withheld
from tests.jobs_for_tests import model_card, ready_card, samples_card

RELEASED = {
    "quick-1": "1009aff8486b646a",
    "standard-1": "769e0af6f16f9834",
    "thorough-1": "b394108442c0a9fe",
}


def plan(card=None, uploaded=None, **change):
    card, samples = card or ready_card(), uploaded or samples_card()
    body = {"model_id": card.id, "samples_id": samples.id} | change
    return admit(AuditRequest.model_validate(body), card, samples)


def methods(made):
    return [job.request.method.name for job in made.jobs]


def reasons(made):
    return {skip.method: skip.reason for skip in made.spec.skipped}


@pytest.mark.parametrize("name", RECIPES)
def test_a_released_recipe_is_never_edited(name):
    text = json.dumps([asdict(step) for step in RECIPES[name]], sort_keys=True)
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == RELEASED[name], "make a new recipe instead"


@pytest.mark.parametrize("name", RECIPES)
def test_every_method_of_a_recipe_runs_or_is_skipped_with_a_reason(name):
    made = plan(recipe=name)
    assert sorted([*methods(made), *reasons(made)]) == sorted(step.method for step in RECIPES[name])
    assert all(reasons(made).values())


def test_a_recipe_knows_every_method_there_is():
    """The quick one leaves `intervals` out: crown keeps them wherever they are the tighter ones."""
    for name, steps in RECIPES.items():
        left_out = {method.name for method in METHODS} - {step.method for step in steps}
        assert left_out == ({"intervals"} if name == "quick-1" else set())


def test_a_model_that_only_answers_labels_is_audited_by_labels():
    card = ready_card(
        offers=(Access.LABELS,), withheld=(Withheld(offer=Access.GRADIENTS, reason="the operator Foo has none"),)
    )
    made = plan(card)
    assert methods(made) == ["noise", "hopskipjump", "smoothing"]
    assert reasons(made)["square"] == "It needs scores, which this model does not offer."
    assert reasons(made)["pgd"].endswith("does not offer: the operator Foo has none.")


def test_the_norm_and_the_goal_choose_too():
    assert "smoothing" not in methods(plan(threat={"norm": "linf"}))
    assert reasons(plan(threat={"norm": "l1"}))["square"] == "It works in l2, linf, not in l1."
    assert reasons(plan(threat={"goal": {"targeted": "random"}}))["noise"] == "It cannot be targeted."


def test_directions_that_need_other_samples_are_no_part_of_an_audit():
    made = plan(recipe=[{"name": "hopskipjump", "directions": "spanning"}, {"name": "square"}])
    assert methods(made) == ["square"] and "auxiliary samples" in reasons(made)["hopskipjump"]


def test_an_epsilon_goes_to_every_method_that_takes_one():
    jobs = {job.request.method.name: job for job in plan(threat={"epsilon": 0.25}).jobs}
    assert jobs["pgd"].threat.epsilon == jobs["noise"].threat.epsilon == 0.25
    assert jobs["clever"].threat.epsilon is None


def test_clever_scores_the_first_of_the_selected_samples_only():
    samples = samples_card(count=50)
    jobs = {job.request.method.name: job for job in plan(uploaded=samples, samples={"limit": 40}).jobs}
    assert jobs["clever"].indices == tuple(range(20)) and jobs["pgd"].indices == tuple(range(40))
    chosen = list(range(49, 9, -1))
    jobs = {job.request.method.name: job for job in plan(uploaded=samples, samples={"indices": chosen}).jobs}
    assert jobs["clever"].indices == tuple(chosen[:20])


def test_given_targets_are_cut_like_the_samples():
    targets = [0] * 40
    made = plan(uploaded=samples_card(count=40), threat={"goal": {"targeted": targets}})
    assert {len(job.indices): len(job.targets) for job in made.jobs} == {20: 20, 40: 40}


def test_a_list_of_methods_is_a_recipe_with_room_for_what_they_need():
    made = plan(recipe=[{"name": "smoothing", "n": 50_000}, {"name": "square", "steps": 10}])
    assert [job.request.budget.queries_per_sample for job in made.jobs] == [50_101, 10_000]


def test_the_audit_says_what_was_left_out():
    request = plan().spec.request
    assert request.threat.box == [0, 1] and request.samples.limit == 10


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"recipe": [{"name": "square"}], "threat": {"norm": "l1"}}, "access_too_weak"),
        ({"threat": {"frozen": [1]}}, "not_available"),
        ({"samples": {"indices": [10]}}, "invalid_request"),
        ({"threat": {"box": [0.5, 1]}}, "outside_box"),
    ],
)
def test_what_cannot_be_audited_is_refused(change, code):
    with pytest.raises(Refused) as refused:
        plan(**change)
    assert refused.value.code == code


def test_a_model_under_inspection_waits():
    with pytest.raises(Conflict):
        plan(model_card())
