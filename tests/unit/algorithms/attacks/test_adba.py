"""ADBA against its comparison written plainly, the density it splits by, and closed forms of linear models."""

import numpy as np
import pytest

from algorithms.attacks.adba import A, B, C, D, medians, middles
from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.claims import Kind
from algorithms.threats.threat import Box, Threat
from tests.truths import Constant, Linear

ADBA = method("adba")
WIDE, CUBE = Box.unbounded(), Threat().box
FORTY = Box(np.float32(-40), np.float32(40))
forms = pytest.mark.parametrize("boundary", ["median", "middle"])


def linear(shape, classes=2, seed=4):
    rng, d = np.random.default_rng(seed), int(np.prod(shape))
    return Linear(rng.normal(size=(classes, d)), 0.1 * rng.normal(size=classes), shape)


def samples(shape, n=3):
    return np.random.default_rng(5).uniform(0.4, 0.6, (n, *shape)).astype(np.float32)


def go(model, x, *, budget=5000, box=CUBE, epsilon=None, **params):
    what = Samples(x, tuple(range(len(x))), None)
    threat = Threat(Norm.LINF, box, epsilon=epsilon)
    return run(model, what, ADBA, ADBA.params(**params), threat, Budget(budget), seed=0)


def first_level_of_the_paper(model, x, split, tolerance):
    """The halves of all features, then the quarters, compared as in the paper: what is asked, and R at the end."""
    asked, d = [], len(x)

    def differs(radius, signs):
        asked.append(np.float32(x + np.float32(radius) * signs))
        return bool(model.labels(asked[-1][None])[0] != 0)

    def better(top, one, two):
        low, high, radius = 0.0, top, top
        while True:
            won = differs(radius, one), differs(radius, two)
            if won[0] != won[1]:
                return (one if won[0] else two), radius
            if not won[0] and radius == top:
                return None, top
            low, high = (low, radius) if won[0] else (radius, high)
            if high - low <= tolerance * high:
                return one, high
            radius = split(low, high, top)

    signs, best = np.ones(d, np.float32), 40.0
    assert differs(best, signs)
    for parts in (2, 4):
        for part in range(0, parts, 2):
            candidates = []
            for which in (part, part + 1):
                candidates.append(signs.copy())
                candidates[-1][which * d // parts : (which + 1) * d // parts] *= -1
            chosen, best = better(best, *candidates)
            signs = signs if chosen is None else chosen
    return asked, best


@forms
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_two_candidates_are_compared_as_the_paper_has_it(boundary, seed):
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=16)
    weights *= np.sign(weights.sum())  # all up is adversarial far enough out
    model = Linear(np.stack([-weights, np.zeros(16)]), np.array([1.0, 0.0]))
    x = np.zeros((1, 16), np.float32)
    split = {"median": lambda *r: medians(*map(np.array, r)), "middle": lambda *r: middles(*r)}[boundary]
    asked, _ = first_level_of_the_paper(Linear(model.weights, model.bias), x[0], split, 0.01)
    go(model, x, box=FORTY, budget=len(asked) + 2, boundary=boundary, tolerance=0.01)
    np.testing.assert_allclose(np.concatenate(model.queried)[1 : len(asked) + 1], asked, rtol=1e-6)


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (0.3, 0.9), (0.5, 0.55)])
def test_half_of_the_density_lies_on_either_side_of_its_median(low, high):
    top = 2.0
    (split,) = medians(np.array([low * top]), np.array([high * top]), np.array([top]))

    def mass(start, end):  # of t, by sums of many strips
        t = np.linspace(start, end, 200_001)
        return np.trapezoid(A / (t + D) ** B + C, t)

    assert mass(1 - high, 1 - split / top) == pytest.approx(mass(1 - split / top, 1 - low), rel=1e-3)


def test_the_first_median_lies_near_the_best_radius():
    assert medians(np.zeros(1), np.ones(1), np.ones(1))[0] == pytest.approx(0.93, abs=0.01)


@forms
@pytest.mark.parametrize("box", [WIDE, FORTY], ids=["unbounded", "wide"])
@pytest.mark.parametrize("shape", [(1,), (2,), (5,), (3, 4, 4), (4, 4, 3), (9, 2)])
def test_on_linear_models_it_ends_at_the_signs_of_the_weights(shape, box, boundary):
    model, x = linear(shape), samples(shape)
    for outcome, row in zip(go(model, x, box=box, boundary=boundary), x, strict=True):
        truth = model.radius(row, outcome.finding.label, Norm.LINF)
        assert outcome.finding.ended == "finished"
        assert truth * (1 - 1e-6) <= outcome.finding.value <= truth * (1 + 5e-3)


@forms
def test_it_stops_at_the_first_point_within_epsilon(boundary):
    model, x = linear((40,)), samples((40,), 1)
    (within,) = go(model, x, epsilon=0.1, boundary=boundary)
    (cut_short,) = go(model, x, budget=within.finding.queries - 1, boundary=boundary)
    assert within.finding.value <= 0.1 < cut_short.finding.value
    assert within.finding.ended == "finished"


def test_features_that_count_for_nothing_do_not_keep_it_from_ending():
    """A flip of one is adversarial wherever the signs are: neutral moves go on for ever unless passes are counted."""
    weights = np.zeros((2, 40))
    weights[1, 17] = 1.0
    (outcome,) = go(Linear(weights, np.array([0.8, 0.0])), samples((40,), 1), budget=100_000)
    assert outcome.finding.value == pytest.approx(0.8 - samples((40,), 1)[0, 17], rel=1e-3)
    assert outcome.finding.ended == "finished"


@forms
def test_a_sign_is_not_left_wrong_where_all_features_count_alike(boundary):
    """A sign put right leaves the radius as it is, until all are bisected; others take its place there before that."""
    x = np.random.default_rng(7).uniform(0.3, 0.7, (4, 64)).astype(np.float32)
    model, radii = Linear(np.stack([np.zeros(64), np.ones(64)]), np.array([0.0, -40.0])), np.linspace(0, 1, 20_001)
    for outcome, row in zip(go(model, x, budget=100_000, boundary=boundary), x, strict=True):
        least = radii[np.argmax([np.minimum(row + r, 1).sum() > 40 for r in radii])]
        assert outcome.finding.ended == "finished"
        assert outcome.finding.value == pytest.approx(least, rel=1e-3)


@pytest.mark.parametrize("box", [CUBE, WIDE], ids=["cube", "unbounded"])
def test_a_first_radius_that_is_not_adversarial_is_not_taken_for_one(box):
    (outcome,) = go(Constant(np.array([1.0, 0.0]), (6,)), samples((6,), 1), box=box, budget=100_000)
    assert (outcome.finding.kind, outcome.finding.ended) == (Kind.ABSTAINED, "finished")
    assert outcome.finding.queries < 300
