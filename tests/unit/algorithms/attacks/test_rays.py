"""RayS against its algorithm box written plainly, closed forms of linear models, and corners that say nothing."""

from dataclasses import replace

import numpy as np
import pytest

from algorithms.attacks.rays import COARSEST, FINER
from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.access import Access
from algorithms.seam.claims import Kind
from algorithms.seam.hint import Hint
from algorithms.threats.lattice import Lattice
from algorithms.threats.threat import Box, Threat
from tests.truths import ClosedForm, Constant, Linear

RAYS = method("rays")
WIDE, CUBE = Box.unbounded(), Threat().box
boxes = pytest.mark.parametrize("box", [WIDE, Box(np.float32(-50), np.float32(50))], ids=["unbounded", "wide"])


def linear(shape, classes=2, seed=4):
    rng, d = np.random.default_rng(seed), int(np.prod(shape))
    return Linear(rng.normal(size=(classes, d)), 0.1 * rng.normal(size=classes), shape)


def samples(shape, n=3):
    return np.random.default_rng(5).uniform(0.4, 0.6, (n, *shape)).astype(np.float32)


def go(model, x, *, budget=5000, box=CUBE, epsilon=None, hints=None, pool=None, **params):
    what = Samples(x, tuple(range(len(x))), None, hints=hints, pool=pool)
    return run(
        model, what, RAYS, RAYS.params(**params), Threat(Norm.LINF, box, epsilon=epsilon), Budget(budget), seed=0
    )


class Shell(ClosedForm):
    """Class 1 begins at this distance in linf from the middle, and ends at another: no corner of the box holds it."""

    def __init__(self, shape, inner, outer):
        super().__init__(shape, 2)
        self.inner, self.outer = inner, outer

    def logits(self, x):
        away = np.abs(x - 0.5).max(axis=1)
        inside = np.minimum(away - self.inner, self.outer - away)
        return np.stack([np.zeros(len(x)), inside], axis=1)

    def jacobian(self, x):
        raise NotImplementedError


def box_of_the_paper(model, x, label, tolerance, queries):
    """Algorithms 1 and 3 in an unbounded box, from a corner that stands at 40; its signs, and its best radius."""
    asked = []

    def differs(radius, signs):
        asked.append(np.float32(x + np.float32(radius) * signs))
        return model.labels(asked[-1][None])[0] != label

    def bisect(signs, end, share):
        start = 0.0
        while end - start > share * end:
            middle = (start + end) / 2
            start, end = (start, middle) if differs(middle, signs) else (middle, end)
        return end

    d, signs, share = len(x), np.ones(len(x), np.float32), tolerance
    assert differs(40.0, signs)
    best, level = bisect(signs, 40.0, share), 0
    while 2**level < 2 * d:
        length, share = int(np.ceil(d / 2**level)), tolerance / np.sqrt(2**level)
        for first in range(0, d, length):
            flipped = signs.copy()
            flipped[first : first + length] *= -1
            if differs(best - share * best, flipped):
                signs, best = flipped, bisect(flipped, best - share * best, share)
        level += 1
    return asked[:queries], best


@pytest.mark.parametrize("d", [2, 7, 8, 16])
def test_the_first_pass_asks_what_the_algorithm_box_asks(d):
    weights = np.random.default_rng(d).normal(size=d)
    weights *= np.sign(weights.sum())  # all up is adversarial far enough out
    model = Linear(np.stack([-weights, np.zeros(d)]), np.array([9.0, 0.0]))
    x = np.zeros((1, d), np.float32)
    box = Box(np.float32(-40), np.float32(40))
    asked, best = box_of_the_paper(Linear(model.weights, model.bias), x[0], 0, COARSEST, None)
    go(model, x, box=box, budget=len(asked) + 2)
    sent = np.concatenate(model.queried)[1 : len(asked) + 1]
    np.testing.assert_allclose(sent, asked, rtol=1e-6)
    assert best >= model.radius(x[0], 0, Norm.LINF)


@boxes
@pytest.mark.parametrize("shape", [(1,), (2,), (5,), (3, 4, 4), (4, 4, 3), (9, 2)])
def test_on_linear_models_it_ends_at_the_signs_of_the_weights(shape, box):
    model, x = linear(shape), samples(shape)
    for outcome, row in zip(go(model, x, box=box, tolerance=1e-5), x, strict=True):
        truth = model.radius(row, outcome.finding.label, Norm.LINF)
        assert outcome.finding.ended == "finished"
        assert truth * (1 - 1e-6) <= outcome.finding.value <= truth * (1 + 1e-3)


def test_a_sample_laid_out_otherwise_is_searched_alike():
    first, x = linear((3, 5, 6)), samples((3, 5, 6))
    moved = np.moveaxis(first.weights.reshape(-1, 3, 5, 6), 1, -1).reshape(2, -1)
    last = Linear(moved, first.bias, (5, 6, 3))
    here, there = go(first, x), go(last, np.ascontiguousarray(np.moveaxis(x, 1, -1)))
    for one, other in zip(here, there, strict=True):
        assert one.finding.queries == other.finding.queries
        np.testing.assert_array_equal(np.moveaxis(one.x_adv, 0, -1), other.x_adv)


def test_flips_that_change_nothing_cost_one_query_each():
    """Of 64 features one counts: 2 d blocks and little more, and d for every pass with a finer tolerance."""
    weights = np.zeros((2, 64))
    weights[1, 17] = 1.0
    (outcome,) = go(Linear(weights, np.array([0.8, 0.0])), samples((64,), 1))
    assert outcome.finding.value == pytest.approx(0.8 - samples((64,), 1)[0, 17], rel=1e-3)
    passes = np.ceil(np.log(COARSEST / 8 / RAYS.params().tolerance) / np.log(FINER)) + 1
    assert outcome.finding.queries <= 64 + 64 * passes + 150


def test_where_no_corner_is_adversarial_it_begins_at_noise_or_at_other_samples():
    x = np.full((1, 30), 0.5, np.float32)
    model = Shell((30,), 0.2, 0.45)
    pool = np.concatenate([x, np.where(np.arange(30) < 10, 0.9, x)]).astype(np.float32)
    (outcome,) = go(model, x, pool=pool)
    corners = np.concatenate(model.queried)[1:9]
    assert {(0.0,), (1.0,), (0.0, 1.0)} >= {tuple(np.unique(corner)) for corner in corners}
    assert 0.2 <= outcome.finding.value <= 0.2002
    assert outcome.finding.ended == "finished"


def test_where_nothing_is_adversarial_it_ends_and_says_so():
    for box in (CUBE, WIDE):
        (outcome,) = go(Constant(np.array([1.0, 0.0]), (6,)), samples((6,), 1), box=box, budget=100_000)
        assert outcome.finding.kind is Kind.ABSTAINED
        assert outcome.finding.ended == "finished"
        assert outcome.finding.queries < 300


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e4])
def test_an_unbounded_box_has_no_corner_and_radii_grow_with_the_sample(scale):
    x = (samples((12,)) * np.float32(scale)).astype(np.float32)
    weights = np.random.default_rng(3).normal(size=(1, 12))
    model = Linear(np.concatenate([weights, -weights]), np.array([100.0 * scale, -100.0 * scale]))
    for outcome, row in zip(go(model, x, box=WIDE), x, strict=True):
        truth = model.radius(row, outcome.finding.label, Norm.LINF)
        assert truth * (1 - 1e-5) <= outcome.finding.value <= 1.001 * truth


def test_it_stops_at_the_first_point_within_epsilon():
    model, x = linear((40,)), samples((40,), 1)
    (within,), (without,) = go(model, x, epsilon=0.1), go(model, x)
    (cut_short,) = go(model, x, budget=within.finding.queries - 1)
    assert within.finding.value <= 0.1 < cut_short.finding.value
    assert within.finding.ended == "finished"
    assert within.finding.queries < without.finding.queries


def test_an_epsilon_that_no_point_is_within_leaves_nothing_found():
    (outcome,) = go(linear((40,)), samples((40,), 1), epsilon=1e-4)
    assert (outcome.finding.kind, outcome.finding.value) == (Kind.ABSTAINED, None)


def test_radii_that_float32_cannot_tell_apart_are_not_bisected():
    """Around 2^20 the next numbers lie an eighth away: a boundary 3 units off is met to that, and the search ends."""
    x = np.full((1, 4), 2.0**20, np.float32)
    model = Linear(np.array([[0.0] * 4, [1.0, 0.0, 0.0, 0.0]]), np.array([2.0**20 + 3, 0.0]))
    (outcome,) = go(model, x, box=WIDE, budget=100_000, tolerance=1e-6)
    assert outcome.finding.ended == "finished"
    assert 3.0 <= outcome.finding.value <= 3.25
    assert outcome.finding.queries < 300


@pytest.mark.parametrize("name", ["rays", "adba"])
def test_on_a_lattice_no_radius_is_asked_that_it_cannot_tell_from_none(name):
    """And what single features gain may be less than a step: it ends a few of them from the truth."""
    lattice, model, attack = Lattice(256), linear((40,), seed=6), method(name)
    x = lattice.nearest(samples((40,)), (CUBE.lower, CUBE.upper))
    what, threat = Samples(x, (0, 1, 2), None), Threat(Norm.LINF, CUBE, lattice=lattice)
    for outcome, row in zip(run(model, what, attack, attack.params(), threat, Budget(9000), seed=0), x, strict=True):
        truth = model.radius(row, outcome.finding.label, Norm.LINF)
        assert outcome.finding.ended == "finished"
        assert outcome.finding.queries < 900
        assert truth <= outcome.finding.value <= truth + 5 / 255
    assert not any((rows == sample).all() for rows in np.concatenate(model.queried)[3:] for sample in x)


def test_a_point_that_others_found_comes_before_corners():
    model, x = linear((25,)), samples((25,), 1)
    (alone,) = go(model, x)
    (outcome,) = go(model, x, hints=(Hint(point=alone.x_adv),), budget=12)
    assert outcome.finding.value <= alone.finding.value
    np.testing.assert_array_equal(np.concatenate(model.queried)[-11], alone.x_adv)


def test_labels_are_all_it_needs():
    model, x = linear((25,)), samples((25,), 2)
    told = go(model, x)
    silent = linear((25,))
    silent.offers = silent.offering(Access.LABELS)
    for one, other in zip(told, go(silent, x), strict=True):
        assert replace(one, finding=one.finding.model_copy(update={"details": {}})).finding == (
            other.finding.model_copy(update={"details": {}})
        )
