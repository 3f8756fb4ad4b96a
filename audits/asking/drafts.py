"""The drafts, which may still change, and the table of all recipes: what a draft computed says that it was one.

What runs beside one another is a phase. First what begins by itself: noise, the attacks from outside, the scores. Then
the cheap attacks that see gradients, and the certificates, from where those ended. Then attacks of another kind, on the
samples whose bracket is still open: no attack is nearest on every network, and those that differ most add most to one
another. Which they are depends on the norm; which of them a model can take follows from what it offers.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from audits.asking.recipe import RecipeStep, ReleasedRecipe
from audits.asking.released import QUICK_1, STANDARD_1, THOROUGH_1
from audits.document.closure import CLOSED

DUAL = ("l1", "l2", "linf")


def _of(steps: Iterable[RecipeStep]) -> Mapping[str, RecipeStep]:
    return {step.name: step for step in steps}


def _in(norms: tuple[str, ...], method: str, *, queries: int = 10_000, **params: Any) -> RecipeStep:
    """A step in these norms only, on the samples whose bracket the phases before have left open."""
    return RecipeStep(method, params, queries=queries, norms=norms, only_open=True)


FMN: dict[str, Any] = {"pace": "boundary", "step_size": 1.0, "gamma": 0.05, "gamma_last": 0.001}


def _fmn(steps: int) -> RecipeStep:
    return _in(DUAL, "fmn@1", steps=steps, **FMN)


def _apgd(steps: int, *, targets: int, search_steps: int, at_once: int) -> tuple[RecipeStep, ...]:
    """In linf it climbs a loss for `at_once` steps at each radius: where fab and fmn stayed behind, that came nearer
    than as many steps towards one rival after the other.
    """
    told: dict[str, Any] = {"aim": "loss", "restarts": 1, "targets": targets, "search_steps": search_steps}
    rival_by_rival = _in(("l1", "l2"), "apgd@2", queries=100_000, loss="targeted_dlr", steps=steps, **told)
    return rival_by_rival, _in(("linf",), "apgd@2", queries=100_000, loss="dlr", steps=at_once, **told)


def _sigma_zero(steps: int) -> RecipeStep:
    told: dict[str, Any] = {"pace": "boundary", "rate": 1.0, "sigma": 0.001, "threshold": 0.3, "threshold_step": 0.01}
    return _in(("l0",), "sigma_zero@1", steps=steps, thinning=steps // 4, **told)


def _alpha_crown(steps: int, *, intermediate_steps: int, search_steps: int) -> RecipeStep:
    """From the radius that crown proved, a phase before."""
    told = {"steps": steps, "intermediate_steps": intermediate_steps, "search_steps": search_steps}
    return _in(DUAL, "alpha_crown@1", **told)


def _complete(*, domains: int, nodes: int) -> tuple[RecipeStep, ...]:
    """Searches that end with both ends of a bracket, where the network is small enough."""
    exact = _in(DUAL, "milp@2", nodes=nodes, unsettled=300)
    return exact, _in(DUAL, "branch_and_bound@2", domains=domains)


def _close(domains: int) -> RecipeStep:
    """What is left for it: seconds, where the audit has a budget of them, else so many domains a sample on average."""
    return _in(DUAL, "close@1", queries=100_000, domains=domains, ratio=CLOSED, attack_steps=60, radii=None)


# A quarter of the gradients of quick-1: on a convolutional network CLEVER took two thirds of the whole recipe's time,
# and the ascent of steepest, which needs a third of what is left, finds the larger norms. Fewer batches, not smaller
# ones: N_s is what a maximum means, and of as many gradients those in larger batches told the steadier score.
_QUICK, _STANDARD, _THOROUGH = _of(QUICK_1), _of(STANDARD_1), _of(THOROUGH_1)
STEEPEST = RecipeStep("steepest@1", {"climbers": 36, "steps": 8, "radius": "auto"})


def _clever(step: RecipeStep, **params: int) -> RecipeStep:
    return replace(step, method="clever@2", params={**step.params, **params})


def _by_itself(of: Mapping[str, RecipeStep], clever: RecipeStep, fab: int) -> tuple[RecipeStep, ...]:
    """What takes no hints, or is better without. hopskipjump is of these: it sees labels only, and a walk that began at
    a point of square, which follows the scores, stayed behind the far boundary to which these had led. So is fab where
    it begins anew from far away: attacks that go on from its points come far nearer than those that go on from pgd's.
    In l0 fmn comes to other points from the sample than from theirs.
    """
    from_outside = replace(of["noise"], method="noise@2"), replace(of["square"], method="square@2")
    rest = (of[name] for name in ("hopskipjump", "nearest_neighbor", "smoothing"))
    counting = RecipeStep("fmn@1", {"steps": fab // 2, **FMN}, norms=("l0",))
    return (*from_outside, *rest, *_fab(fab), counting, clever, replace(STEEPEST, samples=clever.samples))


def _fab(steps: int) -> tuple[RecipeStep, ...]:
    """In l1 farther beyond each hyperplane: the features that close the gap move as far as the box lets, few at a time,
    and what is seen in front of them says little about what is seen behind. In all norms but linf many short runs: the
    nearest of their ends is nearer than that of a few long ones.
    """
    told: dict[str, Any] = {"towards": "leading", "steps": steps, "restarts": 1, "rivals": 9, "backward": 0.9}
    ways = {"l1": ("short", 1.3), "l2": ("short", 1.05), "linf": ("long", 1.05), "l0": ("short", 1.3)}
    return tuple(
        RecipeStep("fab@1", told | {"runs": runs, "overshoot": overshoot}, norms=(norm,))
        for norm, (runs, overshoot) in ways.items()
    )


def _from_there(of: Mapping[str, RecipeStep], crown: int, *also: RecipeStep) -> tuple[RecipeStep, ...]:
    pgd = of["pgd"]
    return (pgd, replace(pgd, method="bpda@1"), RecipeStep("crown@2", {"search_steps": crown}), *also)


QUICK_2 = ReleasedRecipe(
    phases=(
        _by_itself(_QUICK, _clever(_QUICK["clever"], batches=25, batch_size=64), 150),
        _from_there(_QUICK, 7),
        (_fmn(100), _sigma_zero(200)),
    ),
    is_draft=True,
    from_outside={"square": 1_500, "hopskipjump": 3_000},
)
STANDARD_2 = ReleasedRecipe(
    phases=(
        _by_itself(_STANDARD, _clever(_STANDARD["clever"]), 600),
        _from_there(_STANDARD, 24, _STANDARD["intervals"]),
        (_fmn(300), _sigma_zero(500), _alpha_crown(10, intermediate_steps=5, search_steps=12)),
        _apgd(15, targets=3, search_steps=7, at_once=45),
        _complete(domains=100, nodes=200),
        (_close(500),),
    ),
    is_draft=True,
)
THOROUGH_2 = ReleasedRecipe(
    phases=(
        _by_itself(_THOROUGH, _clever(_THOROUGH["clever"]), 1_000),
        _from_there(_THOROUGH, 24, _THOROUGH["intervals"]),
        (_fmn(1_000), _sigma_zero(1_000), _alpha_crown(20, intermediate_steps=10, search_steps=24)),
        _apgd(50, targets=9, search_steps=10, at_once=100),
        _complete(domains=1_000, nodes=2_000),
        (_close(5_000),),
    ),
    is_draft=True,
)

RECIPES = {
    "quick-1": ReleasedRecipe((QUICK_1,)),
    "quick-2": QUICK_2,
    "standard-1": ReleasedRecipe((STANDARD_1,)),
    "standard-2": STANDARD_2,
    "thorough-1": ReleasedRecipe((THOROUGH_1,)),
    "thorough-2": THOROUGH_2,
}
