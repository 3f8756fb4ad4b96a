"""SimBA against its algorithm box, closed forms of linear models, and models whose scores say little."""

import numpy as np
import pytest

from algorithms.attacks.simba.bases import basis_of
from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.mathematics.windows import Canvas
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.claims import Kind
from algorithms.threats.threat import Box, Threat
from tests.truths import Linear

SIMBA = method("simba")
norms = pytest.mark.parametrize("norm", SIMBA.norms)
bases = pytest.mark.parametrize("basis", ["pixel", "dct"])
SHAPES = [(3, 6, 8), (6, 8, 3), (5, 7), (12, 1, 1), (9,), (1,), (2, 3, 4, 5)]
D = 24


def linear(shape=(D,), classes=3, bias=0.1):
    rng, d = np.random.default_rng(4), int(np.prod(shape))
    return Linear(rng.normal(size=(classes, d)), bias * rng.normal(size=classes), shape)


def go(model, x, *, norm=Norm.L2, budget=2000, box=Box.unbounded(), targets=None, epsilon=None, **params):
    threat = Threat(norm, box, epsilon=epsilon, targeted=None if targets is None else "given")
    what = Samples(x, tuple(range(len(x))), None, targets)
    return run(model, what, SIMBA, SIMBA.params(**params), threat, Budget(budget), seed=0)


def samples(shape=(D,), n=3):
    return np.random.default_rng(5).uniform(0.4, 0.6, (n, *shape)).astype(np.float32)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("share", [0.3, 1.0])
@bases
def test_directions_are_orthonormal_in_every_layout(basis, share, shape):
    canvas = Canvas.of(shape)
    chosen = basis_of(basis, canvas, share)
    rows = np.zeros((chosen.count, canvas.channels, canvas.height, canvas.width), np.float32)
    chosen.add(rows, np.arange(chosen.count), np.full(chosen.count, 2.0))
    flat = rows.reshape(chosen.count, -1)
    np.testing.assert_allclose(flat @ flat.T, 4 * np.eye(chosen.count), atol=1e-5)
    assert chosen.count <= np.prod(shape) and (share < 1 or chosen.count == np.prod(shape))


def far_away():
    """Two classes whose boundary no walk of these tests reaches: the margin falls against the signs of the weights."""
    weights = np.random.default_rng(1).normal(size=D)
    return Linear(np.stack([weights, np.zeros(D)]), np.array([60.0, 0.0])), weights


def test_one_pass_asks_each_direction_once_and_the_second_sign_only_where_the_first_failed():
    model, weights = far_away()
    x = samples(n=1)
    go(model, x, step=0.01, steps=D)
    (clean, *asked), at = [rows[0].astype(np.float64) for rows in model.queried], x[0].astype(np.float64)
    assert np.array_equal(clean, x[0])
    met = []
    for row in asked:
        (moved,) = np.flatnonzero(np.abs(row - at) > 1e-3)
        assert abs(row - at)[moved] == pytest.approx(0.01, rel=1e-3)
        if moved in met:
            assert moved == met[-1], "only the direction before may be asked again"
        met.append(moved)
        if (row - at)[moved] * weights[moved] < 0:
            at = row
    np.testing.assert_allclose(at - x[0], -0.01 * np.sign(weights), atol=1e-6)
    assert sorted(set(met)) == list(range(D)) and D < len(met) < 2 * D


@bases
def test_a_change_is_never_longer_than_the_root_of_the_directions_in_steps(basis):
    model, _ = far_away()
    x, step = samples(n=1), 0.05
    go(model, x, step=step, steps=D, basis=basis, frequencies=1.0, box=Box(np.float32(0.3), np.float32(0.7)))
    for asked, rows in enumerate(model.queried):
        assert np.linalg.norm(rows[0].astype(np.float64) - x[0]) <= np.sqrt(asked) * step * (1 + 1e-5)


@norms
@bases
def test_without_an_epsilon_it_comes_near_the_true_radius(norm, basis):
    model, x = linear(), samples(n=4)
    outcomes = go(model, x, norm=norm, basis=basis, frequencies=1.0)
    ratios = [o.finding.value / model.radius(xi, o.finding.label, norm) for o, xi in zip(outcomes, x, strict=True)]
    assert min(ratios) >= 1 - 1e-6 and np.median(ratios) < (1.3 if basis == "pixel" or norm is Norm.L2 else 1.8)


@norms
@pytest.mark.parametrize("shape", SHAPES[:5], ids=str)
def test_at_twice_the_true_radius_it_succeeds_and_stays_within(norm, shape):
    model, x = linear(shape), samples(shape)
    for i in range(len(x)):
        true = model.radius(x[i], int(model.labels(x[i : i + 1])[0]), norm)
        (outcome,) = go(model, x[i : i + 1], norm=norm, epsilon=2 * true)
        assert true * (1 - 1e-5) <= outcome.finding.value <= 2 * true


@norms
@pytest.mark.parametrize("loss", ["margin", "probability"])
def test_a_targeted_walk_reaches_its_target(norm, loss):
    model, x = linear(), samples(n=4)
    targets = (model.labels(x) + 1) % 3
    outcomes = go(model, x, norm=norm, targets=targets, loss=loss)
    assert [int(model.labels(o.x_adv[None])[0]) for o in outcomes] == targets.tolist()


def test_at_the_end_of_the_box_only_steps_into_it_are_asked():
    """All features lie at the lower end: half of the steps would change nothing, and none of them is paid for."""
    model, _ = far_away()
    go(model, np.zeros((1, D), np.float32), box=Threat().box, step=0.25, steps=D)
    rows = [rows[0].tobytes() for rows in model.queried]
    assert len(set(rows)) == len(rows)


def test_a_walk_that_changes_nothing_any_more_is_over():
    model, _ = far_away()
    (outcome,) = go(model, samples(n=1), box=Box(np.float32(0.3), np.float32(0.7)), budget=None, steps=1_000_000)
    assert (outcome.finding.kind, outcome.finding.ended) == (Kind.ABSTAINED, "finished")
    assert outcome.finding.queries < 2_000


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
    outcomes = go(model, x, box=Threat().box)
    sure = [o for o, p in zip(outcomes, model.scores(x).max(axis=1), strict=True) if p == 1]
    assert sure and all(o.finding.kind is Kind.UPPER_BOUND for o in outcomes)
    assert any(o.finding.details.get("warnings") == ["plateau"] for o in sure)


def test_of_a_tabular_row_each_feature_stays_in_its_own_range_and_what_a_corner_shows_is_found():
    lower, upper = np.array([0, -5, 100, 0], np.float32), np.array([1, 5, 300, 0.01], np.float32)
    rng = np.random.default_rng(2)
    model = Linear(rng.normal(size=(2, 4)) / (upper - lower), np.zeros(2))
    x = (lower + rng.uniform(0.2, 0.8, (20, 4)) * (upper - lower)).astype(np.float32)
    corners = np.stack(np.meshgrid(*zip(lower, upper, strict=True)), axis=-1).reshape(-1, 4)
    all_labels, labels = set(model.labels(corners).tolist()), model.labels(x)
    outcomes = go(model, x, box=Box(lower, upper), budget=400)
    rows = np.concatenate(model.queried)
    assert (rows >= lower).all() and (rows <= upper).all()
    can_change = [all_labels != {label} for label in labels.tolist()]
    assert [o.x_adv is not None for o in outcomes] == can_change and any(can_change)
