"""Which methods an audit runs on which model, and why not the others."""

import hashlib
import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from algorithms.errors import Conflict, Refused
from algorithms.registry import method, version
from algorithms.seam.access import Access
from audits.asking import recipes as recipes_module
from audits.asking.admission import admit, check, jobs_of_phase
from audits.asking.drafts import RECIPES
from audits.asking.recipe import RecipeStep, ReleasedRecipe
from audits.asking.recipes import parts
from audits.asking.record import AuditSpec
from audits.asking.request import AuditRequest
from models.cards import Withheld
from tests.jobs_for_tests import model_card, ready_card, samples_card

RELEASED = {
    "quick-1": "60147ea7f4f314b4",
    "standard-1": "09918eda52531f32",
    "thorough-1": "99cd629fa9b10acf",
}
SINCE = {"norms", "only_open"}  # a step has these only since, and says nothing by default
GOLDEN = json.loads((Path(__file__).parent / "golden" / "recipes.json").read_text())
OFFERS = {"every access": tuple(Access), "labels": (Access.LABELS,)}
THREATS = {"a distance in l2": {}, "at a radius in linf": {"norm": "linf", "epsilon": 0.25}}


def plan(card=None, uploaded=None, **change):
    card, samples = card or ready_card(), uploaded or samples_card()
    body = {"model_id": card.id, "samples_id": samples.id} | change
    return admit(AuditRequest.model_validate(body), card, samples)


def methods(made):
    """Of all phases."""
    later = [jobs_of_phase(made.spec, phase) for phase in range(1, made.phases)]
    return [job.request.method.name for jobs in (made.jobs, *later) for job in jobs]


def reasons(made):
    return {skip.method: skip.reason for skip in made.spec.skipped}


def told(step):
    return {part: value for part, value in asdict(step).items() if part not in SINCE or value}


@pytest.mark.parametrize("name", RELEASED)
def test_a_released_recipe_is_never_edited(name):
    text = json.dumps([[told(step) for step in phase] for phase in RECIPES[name].phases], sort_keys=True)
    assert hashlib.sha256(text.encode()).hexdigest()[:16] == RELEASED[name], "make a new recipe instead"


def test_what_is_not_released_is_a_draft():
    assert {name for name, recipe in RECIPES.items() if not recipe.is_draft} == set(RELEASED)


@pytest.mark.parametrize("name", GOLDEN)
def test_a_released_recipe_gives_the_jobs_that_it_has_always_given(name):
    """Frozen when its parameters were defaults still. A parameter that a method gained since may stand beside them."""
    recipe, offers, threat = name.split(", ")
    made = plan(
        ready_card(offers=OFFERS[offers]), samples_card(count=150), recipe=recipe, threat=THREATS[threat], seed=7
    )
    assert len(made.jobs) == len(GOLDEN[name])
    for job, frozen in zip(made.jobs, GOLDEN[name], strict=True):
        asked = job.request.model_dump(mode="json")
        assert asked["method"] | frozen["method"] == asked["method"]
        assert {part: asked[part] for part in frozen if part != "method"} == {
            part: told for part, told in frozen.items() if part != "method"
        }


# Parameters that came after the rows of recipes which name the method: their defaults mean what was done before.
GAINED = {
    "hopskipjump@1": {"blocks", "grid", "subspace", "rank"},
    "square@1": {"schedule_horizon"},
    "square@2": {"schedule_horizon"},
}


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_names_each_method_once_a_norm_with_its_version_and_all_its_parameters(name):
    steps = RECIPES[name].steps
    for norm in ("l0", "l1", "l2", "linf"):
        here = [step.name for step in steps if step.norms is None or norm in step.norms]
        assert len(set(here)) == len(here)
    for step in steps:
        row = version(step.method)
        named = {"name": step.name, **step.params}
        assert row.params.model_validate(named).model_dump(mode="json", exclude=GAINED.get(step.method, set())) == named


@pytest.mark.parametrize("name", RECIPES)
def test_a_job_of_a_recipe_is_run_by_the_version_that_the_recipe_names(name):
    """Which need not be the newest."""
    made = plan(recipe=name)
    later = [job for phase in range(1, made.phases) for job in jobs_of_phase(made.spec, phase)]
    named = {step.name: step.method for step in RECIPES[name].steps}
    for job in (*made.jobs, *later):
        assert job.pinned == job.method.pinned == named[job.request.method.name]


@pytest.mark.parametrize(
    ("name", "norm"),
    [(name, norm) for name in RECIPES for norm in ("l2", "l0") if norm == "l2" or name not in RELEASED],
)
def test_every_method_of_a_recipe_for_the_norm_runs_or_is_skipped_with_a_reason(name, norm):
    made = plan(ready_card(offers=tuple(Access)), recipe=name, threat={"norm": norm})
    steps = [step.name for step in RECIPES[name].steps if step.norms is None or norm in step.norms]
    assert sorted([*methods(made), *reasons(made)]) == sorted(steps)
    assert all(reasons(made).values())


LEFT_OUT = {"quick": {"intervals"}}  # by series: crown keeps them wherever they are the tighter ones


def names(recipes):
    return {step.name for recipe in recipes for step in recipe.steps}


def newest_drafts(recipes):
    """{name: recipe} of each series whose newest one may still change."""
    newest = {parts(name)[0]: name for name in sorted(recipes, key=parts)}
    return {name: recipes[name] for name in newest.values() if recipes[name].is_draft}


def forgotten(recipes):
    """{draft: the methods of released recipes that it neither runs nor leaves out on purpose}."""
    released = names(recipe for recipe in recipes.values() if not recipe.is_draft)
    return {
        name: released - names([draft]) - LEFT_OUT.get(parts(name)[0], set())
        for name, draft in newest_drafts(recipes).items()
    }


def test_a_draft_knows_every_method_of_the_released_recipes():
    """A method that no recipe knows yet is no fault: conftest.py tells of it, and it waits for the next draft."""
    assert not any(forgotten(RECIPES).values())


def test_the_newest_recipe_is_that_of_the_highest_number_and_a_released_one_is_not_asked():
    both, square, draft = RETIRED, GOES_ON, replace(GOES_ON, is_draft=True)
    assert forgotten({"quick-2": both, "quick-10": draft}) == {"quick-10": {"pgd"}}
    assert forgotten({"quick-10": both, "quick-2": draft}) == {}
    assert forgotten({"quick-1": square, "quick-2": draft, "standard-1": both}) == {"quick-2": {"pgd"}}
    assert forgotten({"quick-1": both, "quick-2": square}) == {}


RETIRED = ReleasedRecipe(((RecipeStep("pgd@0", {}), RecipeStep("square@1", {})),))
GOES_ON = ReleasedRecipe(((RecipeStep("square@1", {}),),))


@pytest.mark.parametrize(
    ("recipes", "advice"),
    [
        ({"quick-1": RETIRED, "quick-2": GOES_ON, "standard-3": GOES_ON}, "use quick-2"),
        ({"quick-1": RETIRED, "quick-2": RETIRED, "quick-10": GOES_ON}, "use quick-10"),
        ({"quick-0": GOES_ON, "quick-1": RETIRED, "standard-2": GOES_ON}, "name the methods themselves"),
    ],
)
def test_a_recipe_of_a_version_that_is_gone_is_retired_and_names_its_successor(recipes, advice):
    with pytest.raises(Refused) as refused:
        recipes_module.check("quick-1", recipes)
    assert (refused.value.code, refused.value.pointer) == ("not_available", "/recipe")
    assert "names pgd@0, which is no longer here" in refused.value.detail and refused.value.detail.endswith(
        f"{advice}."
    )
    recipes_module.check(next(name for name, recipe in recipes.items() if recipe is GOES_ON), recipes)


def test_every_recipe_that_is_offered_runs_here():
    for name in RECIPES:
        check(AuditRequest.model_validate({"model_id": "mdl_a", "samples_id": "smp_a", "recipe": name}))


def test_a_draft_names_what_begins_where_the_others_ended():
    made = plan(ready_card(offers=tuple(Access)), recipe="quick-2")
    assert (made.phases, made.planned) == (3, len(methods(made)))
    later = [*jobs_of_phase(made.spec, 1), *jobs_of_phase(made.spec, 2)]
    assert [job.request.method.name for job in later] == ["pgd", "crown", "fmn"]
    assert all(method(job.request.method.name).takes_hints for job in later)
    assert "hopskipjump" in methods(made), "by itself: where the others ended may be behind the far boundary"


FROM_INSIDE = {"square": 500, "hopskipjump": 1_000}


@pytest.mark.parametrize(
    ("offers", "expected"),
    [
        (tuple(Access), FROM_INSIDE),
        ((Access.LABELS, Access.SCORES), {"square": 1_500, "hopskipjump": 3_000}),
        ((Access.LABELS,), {"hopskipjump": 3_000}),
    ],
)
def test_a_draft_searches_longer_from_outside_where_no_attack_sees_inside(offers, expected):
    made = plan(ready_card(offers=offers), recipe="quick-2")
    jobs = [*made.jobs, *(jobs_of_phase(made.spec, 1) if made.phases > 1 else ())]
    queries = {job.request.method.name: job.request.budget.queries_per_sample for job in jobs}
    assert {name: queries[name] for name in FROM_INSIDE if name in queries} == expected
    assert queries["noise"] == 200


@pytest.mark.parametrize("offers", [(Access.LABELS, Access.SCORES), (Access.LABELS, Access.SCORES, Access.GRADIENTS)])
def test_a_draft_goes_by_substitutes_where_there_are_some_and_makes_up_for_missing_gradients_all_the_same(offers):
    made = plan(ready_card(offers=offers, substitutes=("Round",)), recipe="quick-2")
    jobs = [*made.jobs, *jobs_of_phase(made.spec, 1)]
    queries = {job.request.method.name: job.request.budget.queries_per_sample for job in jobs}
    assert queries["bpda"] == 10_000
    assert queries["hopskipjump"] == (1_000 if Access.GRADIENTS in offers else 3_000)


def test_a_model_without_steps_is_told_why_nothing_goes_by_substitutes():
    assert reasons(plan(recipe="quick-2"))["bpda"] == (
        "It needs substitutes for gradients, which this model does not offer: no steps of a graph are seen to hide its"
        " gradients."
    )


def test_a_released_recipe_asks_as_much_of_every_model():
    made = plan(ready_card(offers=(Access.LABELS, Access.SCORES)), recipe="quick-1")
    queries = {job.request.method.name: job.request.budget.queries_per_sample for job in made.jobs}
    assert (queries["square"], queries["hopskipjump"]) == (500, 1_000)


def test_what_is_for_open_brackets_only_leaves_the_closed_ones_alone():
    goal = {"targeted": [1, 2, 1, 2]}
    made = plan(recipe="quick-2", samples={"indices": [3, 5, 2, 8]}, threat={"goal": goal})
    (fmn,) = jobs_of_phase(made.spec, 2, closed={5, 8, 9})
    assert (fmn.indices, fmn.request.threat.goal.targeted) == ((3, 2), [1, 1])
    assert jobs_of_phase(made.spec, 1, closed={5, 8}) == jobs_of_phase(made.spec, 1), "only where a step says so"
    assert jobs_of_phase(made.spec, 2, closed={2, 3, 5, 8}) == ()


def test_a_step_runs_in_its_norms_only_and_is_no_obstacle_elsewhere(monkeypatch):
    step = RecipeStep("square@1", {"initial_share": None, "steps": 10}, norms=("l2",))
    changed = ReleasedRecipe(((step,), RECIPES["quick-2"].phases[2]), is_draft=True)
    monkeypatch.setitem(RECIPES, "quick-2", changed)
    assert methods(plan(recipe="quick-2")) == ["square", "fmn"]
    elsewhere = plan(recipe="quick-2", threat={"norm": "linf"})
    assert (methods(elsewhere), reasons(elsewhere)) == (["fmn"], {})


def test_a_phase_of_which_nothing_runs_is_none():
    made = plan(ready_card(offers=(Access.NEIGHBOURS,)), recipe="quick-2")
    assert (made.phases, methods(made)) == (1, ["nearest_neighbor"])


def test_a_later_phase_is_admitted_as_it_would_have_been_at_once():
    """From what the audit's record says, with all that was left out filled in."""
    change = {"samples": {"limit": 6}, "threat": {"epsilon": 0.2}, "seed": 3}
    made = plan(recipe="quick-2", **change)
    card, samples = made.spec.model, made.spec.samples
    alone = [{"name": step.name, **step.params} for step in RECIPES["quick-2"].phases[1] if step.name != "crown"]
    body = {"model_id": card.id, "samples_id": samples.id, "recipe": alone} | change
    for job, other in zip(
        jobs_of_phase(made.spec, 1), admit(AuditRequest.model_validate(body), card, samples).jobs, strict=True
    ):
        budget = job.request.budget
        told = other.request.model_copy(update={"budget": budget})
        assert job == other.model_copy(update={"request": told})


def test_a_later_phase_is_what_was_planned_whatever_the_recipe_has_become(monkeypatch):
    """The record comes back from JSON; the recipe and its methods may have changed in between."""
    made = plan(recipe="quick-2")
    later = [job for phase in (1, 2) for job in jobs_of_phase(made.spec, phase)]
    kept = AuditSpec.model_validate_json(made.spec.model_dump_json())
    assert kept == made.spec
    planned = [step.method for phase in kept.phases for step in phase]
    assert planned == [job.pinned for job in (*made.jobs, *later)]
    changed = ReleasedRecipe((RECIPES["quick-2"].phases[0], GOES_ON.phases[0]), is_draft=True)
    monkeypatch.setitem(RECIPES, "quick-2", changed)
    assert [*jobs_of_phase(plan(recipe="quick-2").spec, 1)] != later[:1], "the change is one"
    assert [job for phase in (1, 2) for job in jobs_of_phase(kept, phase)] == later


def test_a_method_of_a_later_phase_that_is_gone_is_not_run_in_another_version():
    made = plan(recipe="quick-2")
    first, (step, *others), *rest = made.spec.phases
    old = made.spec.model_copy(update={"phases": (first, (replace(step, method="pgd@0"), *others), *rest)})
    with pytest.raises(Refused, match="planned with pgd@0") as refused:
        jobs_of_phase(old, 1)
    assert refused.value.code == "not_available"


@pytest.mark.parametrize(
    "recipe", ["quick-1", "standard-1", "thorough-1", ["clever", {"name": "smoothing", "n": 50_000}]]
)
def test_what_is_written_down_makes_the_same_jobs(recipe):
    made = plan(recipe=recipe)
    assert jobs_of_phase(AuditSpec.model_validate_json(made.spec.model_dump_json()), 0) == made.jobs


@pytest.mark.parametrize(("name", "is_draft"), [("quick-1", False), ("quick-2", True)])
def test_an_audit_by_a_draft_says_so(name, is_draft):
    assert plan(recipe=name).spec.draft is is_draft
    assert plan(recipe=[{"name": "pgd"}]).spec.draft is False


def test_a_model_that_only_answers_labels_is_audited_by_labels():
    card = ready_card(
        offers=(Access.LABELS,), withheld=(Withheld(offer=Access.GRADIENTS, reason="the operator Foo has none"),)
    )
    made = plan(card)
    assert methods(made) == ["noise", "hopskipjump", "smoothing"]
    assert reasons(made)["square"] == "It needs scores, which this model does not offer."
    assert reasons(made)["pgd"].endswith("does not offer: the operator Foo has none.")


def test_a_reason_that_two_accesses_share_is_told_once_and_ends_once():
    why = "The model gives out labels only."
    withheld = tuple(Withheld(offer=access, reason=why) for access in (Access.SCORES, Access.GRADIENTS))
    made = plan(ready_card(offers=(Access.LABELS,), withheld=withheld))
    assert reasons(made)["pgd"] == f"It needs scores, gradients, which this model does not offer: {why}"


def test_the_norm_and_the_goal_choose_too():
    assert "smoothing" not in methods(plan(threat={"norm": "linf"}))
    assert reasons(plan(threat={"norm": "l1"}))["square"] == "It works in l2, linf, not in l1."
    assert reasons(plan(threat={"goal": {"targeted": "random"}}))["noise"] == "It cannot be targeted."


def test_directions_that_need_other_samples_are_no_part_of_an_audit():
    made = plan(recipe=[{"name": "hopskipjump", "directions": "spanning"}, {"name": "square"}])
    assert methods(made) == ["square"] and "other samples" in reasons(made)["hopskipjump"]


def test_a_method_that_attacks_another_model_first_is_no_part_of_an_audit():
    made = plan(recipe=[{"name": "transfer"}, {"name": "square"}])
    assert methods(made) == ["square"] and "another model first" in reasons(made)["transfer"]


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
        ({"recipe": [{"name": "square"}], "threat": {"norm": "l0"}}, "access_too_weak"),
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


def test_on_a_lattice_run_the_methods_that_keep_to_it_and_the_others_say_why_not():
    recipe = [{"name": name} for name in ("pgd", "noise", "hopskipjump")]
    made = plan(recipe=recipe, threat={"lattice": {"levels": 256}})
    assert methods(made) == ["noise", "hopskipjump"]
    assert {spec.threat.lattice.levels for spec in made.jobs} == {256}
    assert "not a lattice's alone" in reasons(made)["pgd"]
