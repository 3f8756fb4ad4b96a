"""Where a cohort's samples are first adversarial: near what a few starts tell, at each one's own expense."""

from dataclasses import replace

import numpy as np
import pytest

from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import NORMS
from algorithms.method import Budget, Method
from algorithms.registry import method
from algorithms.seam.access import Access
from algorithms.seam.claims import Kind, Outcome
from algorithms.seam.hint import Hint
from algorithms.searches.labels.first_points import HALVINGS, ROUGHLY, SCOUTS, FirstPoints, first_points
from algorithms.searches.labels.line import Segment
from algorithms.threats.threat import Box, Threat
from tests.truths import ClosedForm, Constant, Disc, Linear

norms = pytest.mark.parametrize("norm", list(NORMS))


def looking(found: list[FirstPoints]) -> Method:
    """A method that looks for first points, and does nothing else."""

    def only(cohort, threat, params):
        found.append((yield from first_points(cohort, threat)))

    return replace(
        method("square"), name="looking", needs=(Access.LABELS,), run=only, takes_hints=True, wants_pool=True
    )


def look(model: ClosedForm, what: Samples, *, queries: int | None = None, **threat: object):
    found: list[FirstPoints] = []
    chosen = looking(found)
    outcomes = run(model, what, chosen, chosen.smallest, Threat(**threat), Budget(queries), seed=1)  # type: ignore[arg-type]
    return outcomes, found[0] if found else None


def linear(d: int = 30, classes: int = 3) -> Linear:
    rng = np.random.default_rng(3)
    return Linear(rng.normal(size=(classes, d)), 0.1 * rng.normal(size=classes))


def samples(d: int = 30, n: int = 4) -> Samples:
    x = np.random.default_rng(5).uniform(0.3, 0.7, (n, d)).astype(np.float32)
    return Samples(x, tuple(range(n)), labels=None)


@norms
@pytest.mark.parametrize("box", [Box.unbounded(), Threat().box], ids=["unbounded", "bounded"])
def test_points_are_adversarial_and_just_short_of_them_none_is(norm, box):
    model, what = linear(), samples()
    outcomes, found = look(model, what, norm=norm, box=box)
    clean = model.labels(what.x)
    assert np.isfinite(found.distance).all() and (model.labels(found.points) != clean).all()
    for outcome, x, point, distance in zip(outcomes, what.x, found.points, found.distance, strict=True):
        assert outcome.finding.value == distance == Threat(norm, box).distance(point, x)
        lengths = [away for _, away in outcome.finding.details["trace"]]
        share = 1 - 1.01 * 2**-HALVINGS * lengths[-2:][0] / distance  # of the line that was halved
        short = Segment(x, point, Threat(norm, box)).at(share)
        assert model.labels(short[None])[0] == outcome.finding.label


def test_the_nearest_of_many_starts_is_kept_and_is_no_nearer_than_the_truth():
    model, x = Disc(np.full(20, 0.5), rim=0.4), np.full((2, 20), 0.5, np.float32)
    _, found = look(model, Samples(x, (0, 1), None))
    assert ((found.distance >= 0.4) & (found.distance < 0.4 / (1 - ROUGHLY))).all()


def counted(outcomes: list[Outcome]) -> list[int]:
    return [outcome.finding.queries for outcome in outcomes]


def test_every_start_is_charged_to_the_sample_that_tries_it():
    model, x = Constant(np.array([0.5, 0.1]), (4,)), np.zeros((3, 4), np.float32)
    pool = np.random.default_rng(0).uniform(size=(7, 4)).astype(np.float32)
    outcomes, found = look(model, Samples(x, (0, 1, 2), None, pool=pool))
    assert not np.isfinite(found.distance).any() and np.array_equal(found.points, x)
    assert counted(outcomes) == [1 + 20 + 7 + 202] * 3, "the clean row, twenty of noise, the pool, and the last"
    assert model.queries == sum(counted(outcomes))


def test_after_the_first_success_it_tries_sixty_more_starts_and_halves_few_of_them():
    pool = samples(n=200).x
    outcomes, _ = look(linear(), replace(samples(), pool=pool))
    assert all(SCOUTS < queries < 2 * SCOUTS for queries in counted(outcomes))


def test_what_is_found_is_the_same_alone_and_in_company():
    model, what, pool = linear(), samples(), samples(n=50).x
    outcomes, together = look(model, replace(what, pool=pool))
    for i, outcome in enumerate(outcomes):
        (single,), alone = look(model, Samples(what.x[i : i + 1], (i,), None, pool=pool))
        assert single.finding == outcome.finding
        assert np.array_equal(alone.points[0], together.points[i])


def test_where_noise_fools_nobody_other_samples_do_and_targeted_those_of_the_target():
    x, corner = np.zeros((1, 20), np.float32), np.ones((1, 20), np.float32)
    model = Disc(np.zeros(20), rim=4.4)  # the corner is 4.47 away, noise 2.6
    what = Samples(x, (0,), None, targets=np.array([1]), pool=np.concatenate([x, corner]))
    outcomes, found = look(model, what, targeted="given")
    assert np.isfinite(found.distance).all() and outcomes[0].finding.queries <= 1 + 20 + 2 + 4


def test_a_hint_is_tried_first_and_one_within_epsilon_is_enough():
    model, what = linear(), samples(n=1)
    _, far = look(model, what)
    hinted = replace(what, hints=(Hint(point=far.points[0]),))
    (outcome,), _ = look(model, hinted, epsilon=float(far.distance[0]))
    assert outcome.finding.value <= far.distance[0]
    assert counted([outcome])[0] <= 2 + 1 + 4, "the clean row, the hint, the way back, the re-query"


@pytest.mark.parametrize("share", [0.3, 0.5, 0.7, 0.9])
def test_a_point_within_epsilon_ends_the_look_and_is_claimed_wherever_it_was_met(share):
    model, what = linear(), samples()
    _, far = look(model, what)
    epsilon = float(share * far.distance.min() + (1 - share) * 3 * far.distance.max())
    outcomes, found = look(model, what, epsilon=epsilon)
    assert (found.distance <= epsilon).any()
    for outcome, distance in zip(outcomes, found.distance, strict=True):
        assert outcome.finding.value == (distance if distance <= epsilon else None), "to the last bit, as the driver"


def test_a_budget_ends_the_look_and_keeps_what_was_found():
    (outcome,), _ = look(linear(), samples(n=1), queries=12)
    assert outcome.finding.kind is Kind.UPPER_BOUND and outcome.finding.queries == 12
