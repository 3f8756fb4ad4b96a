"""SignHunter against its algorithm box written plainly, closed forms of linear models, and models that say little."""

import numpy as np
import pytest

from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.claims import Kind
from algorithms.threats.threat import Box, Threat
from tests.truths import Linear

HUNTER = method("sign_hunter")
norms = pytest.mark.parametrize("norm", HUNTER.norms)
SHAPES = [(3, 6, 8), (6, 8, 3), (5, 7), (12, 1, 1), (9,), (2,), (1,), (2, 3, 4, 5)]
WIDE = Box.unbounded()
D = 11


def linear(shape=(D,), classes=3, bias=0.1):
    rng, d = np.random.default_rng(4), int(np.prod(shape))
    return Linear(rng.normal(size=(classes, d)), bias * rng.normal(size=classes), shape)


def go(model, x, norm, *, budget=2000, box=WIDE, targets=None, epsilon=None, **params):
    threat = Threat(norm, box, epsilon=epsilon, targeted=None if targets is None else "given")
    what = Samples(x, tuple(range(len(x))), None, targets)
    return run(model, what, HUNTER, HUNTER.params(**params), threat, Budget(budget), seed=0)


def samples(shape=(D,), n=3):
    return np.random.default_rng(5).uniform(0.4, 0.6, (n, *shape)).astype(np.float32)


def box_of_the_paper(weights, x, radius, flips):
    """One pass of algorithm 1 on the loss w.x, which is to fall: the points it asks, and its signs at the end."""
    signs, asked = np.ones(len(x)), [x + radius]
    least, level = float(weights @ asked[0]), 0
    while len(asked) <= flips and 2**level < 2 * len(x):
        length = int(np.ceil(len(x) / 2**level))
        for first in range(0, len(x), length):
            signs[first : first + length] *= -1
            asked.append(x + radius * signs)
            loss = float(weights @ asked[-1])
            if loss > least:
                signs[first : first + length] *= -1
            least = min(loss, least)
        level += 1
    return asked, signs


@pytest.mark.parametrize("d", [1, 2, 7, 8, 11, 16])
def test_one_pass_asks_what_the_algorithm_box_asks_and_ends_at_the_best_vertex(d):
    weights = np.random.default_rng(d).normal(size=d)
    model = Linear(np.stack([weights, np.zeros(d)]), np.array([60.0, 0.0]))
    x, radius = samples((d,), 1), 0.25
    asked, signs = box_of_the_paper(weights, x[0].astype(np.float64), radius, 1000)
    assert np.array_equal(signs, -np.sign(weights))
    go(model, x, Norm.LINF, epsilon=radius, steps=len(asked) - 1)
    (_, *rows) = [rows[0] for rows in model.queried]
    np.testing.assert_allclose(rows[: len(asked)], asked, atol=1e-6)
    assert len(rows) == len(asked)


@norms
def test_the_next_pass_begins_at_the_best_point_and_stays_within_the_ball(norm):
    weights = np.random.default_rng(1).normal(size=D)
    model, x, radius = Linear(np.stack([weights, np.zeros(D)]), np.array([60.0, 0.0])), samples(n=1), 0.1
    go(model, x, norm, epsilon=radius, steps=100)
    rows = np.concatenate(model.queried)[1:].astype(np.float64)
    away = np.linalg.norm((rows - x[0]).reshape(len(rows), -1), norm.p, axis=1)
    assert (away <= radius * (1 + 1e-6)).all()
    levels = np.unique(np.round(np.abs(rows - x[0]) / radius, 3))
    assert norm is Norm.L2 or levels.tolist() == [0, 1], "from a face a flip leads back to the middle"


@norms
def test_without_an_epsilon_it_comes_near_the_true_radius(norm):
    model, x = linear(), samples(n=4)
    outcomes = go(model, x, norm)
    ratios = [o.finding.value / model.radius(xi, o.finding.label, norm) for o, xi in zip(outcomes, x, strict=True)]
    assert min(ratios) >= 1 - 1e-6 and np.median(ratios) < 1.3


@norms
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_at_twice_the_true_radius_it_succeeds_and_stays_within(norm, shape):
    model, x = linear(shape), samples(shape)
    for i in range(len(x)):
        true = model.radius(x[i], int(model.labels(x[i : i + 1])[0]), norm)
        (outcome,) = go(model, x[i : i + 1], norm, epsilon=2 * true)
        assert true * (1 - 1e-5) <= outcome.finding.value <= 2 * true


@norms
def test_a_targeted_hunt_reaches_its_target(norm):
    model, x = linear(), samples(n=4)
    targets = (model.labels(x) + 1) % 3
    outcomes = go(model, x, norm, targets=targets)
    assert [int(model.labels(o.x_adv[None])[0]) for o in outcomes] == targets.tolist()


@norms
def test_an_image_with_channels_last_is_hunted_as_the_same_image_with_channels_first(norm):
    first = linear((3, 5, 6))
    last = Linear(np.moveaxis(first.weights.reshape(3, 3, 5, 6), 1, -1).reshape(3, -1), first.bias, (5, 6, 3))
    x = samples((3, 5, 6))
    values = [[o.finding.queries for o in go(first, x, norm, budget=300)]]
    values.append([o.finding.queries for o in go(last, np.ascontiguousarray(np.moveaxis(x, 1, -1)), norm, budget=300)])
    assert values[0] == values[1]
    for a, b in zip(first.queried, last.queried, strict=True):
        np.testing.assert_allclose(a, np.moveaxis(b, -1, 1), atol=1e-6)


@norms
def test_a_radius_too_small_for_float32_ends_instead_of_flipping_for_ever(norm):
    (outcome,) = go(linear(), samples(n=1), norm, epsilon=1e-12, budget=None)
    assert (outcome.finding.kind, outcome.finding.ended) == (Kind.ABSTAINED, "finished")
    assert outcome.finding.queries < 10


class Rounded(Linear):
    """A linear model that tells its probabilities to two digits, and is sure of its label far from the boundary."""

    gives_probabilities = True

    def logits(self, x):
        z = super().logits(x)
        p = np.exp(z - z.max(axis=1, keepdims=True))
        return np.round(p / p.sum(axis=1, keepdims=True), 2)


def test_rounded_probabilities_are_warned_of_and_broken_all_the_same():
    rng = np.random.default_rng(6)
    model = Rounded(6 * rng.normal(size=(2, D)), np.array([4.0, -4.0]))
    x = rng.uniform(0.2, 0.8, (5, D)).astype(np.float32)
    outcomes = go(model, x, Norm.LINF, box=Threat().box)
    sure = [o for o, p in zip(outcomes, model.scores(x).max(axis=1), strict=True) if p == 1]
    assert sure and all(o.finding.kind is Kind.UPPER_BOUND for o in outcomes)
    assert any(o.finding.details.get("warnings") == ["plateau"] for o in sure)
