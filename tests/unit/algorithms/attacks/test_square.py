"""Square on images of every layout and on vectors, against what is known of linear models and of its own rules."""

import numpy as np
import pytest

from algorithms.attacks.square.proposals import proposals
from algorithms.driver.running import Samples, run
from algorithms.mathematics.geometry import lengths
from algorithms.mathematics.norms import Norm
from algorithms.mathematics.projections import short_of_rounding
from algorithms.mathematics.windows import Canvas, shares_at
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.claims import Kind
from algorithms.threats.threat import Box, Threat
from tests.truths import Linear

SQUARE = method("square")
norms = pytest.mark.parametrize("norm", SQUARE.norms)
SHAPES = [(3, 8, 8), (8, 8, 3), (8, 8), (12, 1, 1), (40,), (2,), (1,), (1, 1, 30), (30, 1), (3, 2, 2), (2, 3, 4, 5)]
shapes = pytest.mark.parametrize("shape", SHAPES, ids=str)


@shapes
def test_a_canvas_gives_back_the_samples_it_was_shown(shape):
    samples = np.random.default_rng(0).normal(size=(3, *shape)).astype(np.float32)
    canvas = Canvas.of(shape)
    assert canvas.view(samples).shape == (3, canvas.channels, canvas.height, canvas.width)
    assert np.array_equal(canvas.restore(canvas.view(samples)), samples)


@shapes
@pytest.mark.parametrize("share", [1e-6, 0.05, 0.8, 1.0])
def test_a_window_fits_its_canvas_and_covers_about_its_share(shape, share):
    canvas = Canvas.of(shape)
    height, width = canvas.window(share)
    assert 1 <= height <= canvas.height and 1 <= width <= canvas.width


@pytest.mark.parametrize(
    ("iteration", "share"), [(0, 0.8), (10, 0.8), (11, 0.4), (51, 0.2), (1001, 0.025), (8001, 0.8 / 512)]
)
def test_the_share_of_a_window_is_halved_on_the_papers_schedule(iteration, share):
    assert shares_at(np.array([iteration]), 0.8).tolist() == [share]


def test_a_shorter_horizon_squeezes_the_schedule_and_the_papers_own_is_the_default():
    steps = np.arange(10_001)
    assert np.array_equal(shares_at(steps, 0.8), shares_at(steps, 0.8, 10_000))
    assert np.array_equal(shares_at(steps[:1001], 0.8, 1_000), shares_at(10 * steps[:1001], 0.8))
    assert np.array_equal(shares_at(steps, 0.8, 20_000), shares_at(steps // 2, 0.8))


def test_a_horizon_changes_what_is_asked_only_from_where_the_windows_differ():
    """Of 36 pixels a window has five a side until step 10, or until step 1 of a horizon of 1,000."""
    model = linear((1, 6, 6))
    x = np.random.default_rng(5).uniform(0.4, 0.6, (1, 1, 6, 6)).astype(np.float32)
    asked = []
    for horizon in (10_000, 1_000):
        model.queried.clear()
        run(
            model,
            Samples(x, (0,), None),
            SQUARE,
            SQUARE.params(initial_share=1.0, schedule_horizon=horizon),
            Threat(Norm.LINF, epsilon=1e-4),
            Budget(30),
            seed=0,
        )
        asked.append([rows.tobytes() for rows in model.queried])
    same = [a == b for a, b in zip(*asked, strict=True)]
    assert same[:3] == [True] * 3 and not all(same)


def rngs(n: int) -> list[np.random.Generator]:
    return [np.random.default_rng(i) for i in range(n)]


@shapes
@norms
def test_every_proposal_lies_in_ball_and_box(norm, shape):
    canvas, radius = Canvas.of(shape), np.array([0.3, 0.1, 0.5])
    x = canvas.view(np.random.default_rng(0).uniform(0, 1, (3, *shape)).astype(np.float32))
    inner = short_of_rounding(radius, lengths(x, norm))
    made = proposals(norm)(x, inner, Threat(norm=norm), canvas, rngs(3))
    points = made.first()
    for share in [0.8, 0.3, 0.1, 0.01] * 5:
        assert points.dtype == np.float32 and (points >= 0).all() and (points <= 1).all()
        assert (lengths(points.astype(np.float64) - x, norm) <= radius).all()
        points, _ = made.next(points, share)
    nearer = proposals(norm)(
        x, short_of_rounding(radius / 2, lengths(x, norm)), Threat(norm=norm), canvas, rngs(3)
    ).within(points)
    assert (lengths(nearer.astype(np.float64) - x, norm) <= radius / 2).all()


@norms
def test_a_step_changes_one_window_of_each_sample_and_says_whose(norm):
    canvas = Canvas.of((1, 9, 9))
    x = np.random.default_rng(0).uniform(0.3, 0.7, (4, 1, 9, 9)).astype(np.float32)
    made = proposals(norm)(x, np.array([0.1, 0.1, 0.1, 1e-12]), Threat(norm=norm), canvas, rngs(4))
    before = made.first()
    after, changed = made.next(before, 0.1)
    moved = before != after
    assert changed[:3].all() and moved[:3].any(axis=(1, 2, 3)).all()
    if norm is Norm.LINF:
        assert not changed[3] and not moved[3].any()
        rows, columns = moved.any(axis=(1, 3)), moved.any(axis=(1, 2))  # (4, 9)
        assert rows.sum(axis=1).max() <= 3 and columns.sum(axis=1).max() <= 3


def test_in_l2_the_whole_radius_is_spent_where_the_box_does_not_bind():
    canvas = Canvas.of((3, 9, 9))
    x = np.full((2, 3, 9, 9), 0.5, np.float32)
    made = proposals(Norm.L2)(x, np.array([1.0, 2.0]), Threat(box=Box.unbounded()), canvas, rngs(2))
    points = made.first()
    for _ in range(30):
        assert lengths(points - x, Norm.L2) == pytest.approx([1.0, 2.0], abs=1e-5)
        points, _ = made.next(points, 0.1)


def test_in_l1_the_whole_radius_is_spent_though_the_box_binds():
    canvas = Canvas.of((3, 9, 9))
    x = np.random.default_rng(0).uniform(0, 1, (2, 3, 9, 9)).astype(np.float32)
    made = proposals(Norm.L1)(x, np.array([5.0, 20.0]), Threat(Norm.L1), canvas, rngs(2))
    points = made.first()
    for _ in range(30):
        assert (lengths(points - x, Norm.L1) >= [4.9, 19.0]).all()
        assert (points == 0).any() or (points == 1).any()
        points, _ = made.next(points, 0.1)


def linear(shape: tuple[int, ...]) -> Linear:
    rng = np.random.default_rng(4)
    d = int(np.prod(shape))
    return Linear(rng.normal(size=(3, d)), 0.1 * rng.normal(size=3), shape)


@shapes
@norms
def test_at_twice_the_true_radius_it_succeeds_on_a_linear_model(norm, shape):
    """In l1 at so much a channel: a window moves all channels by as much, where one alone were best."""
    model, times = linear(shape), 2 * Canvas.of(shape).channels if norm is Norm.L1 else 2
    x = np.random.default_rng(5).uniform(0.4, 0.6, (1, *shape)).astype(np.float32)
    true = model.radius(x[0], int(model.labels(x)[0]), norm)
    threat = Threat(norm, Box.unbounded(), epsilon=times * true)
    (outcome,) = run(
        model, Samples(x, (0,), None), SQUARE, SQUARE.params(initial_share=0.3), threat, Budget(3000), seed=0
    )
    assert outcome.finding.kind is Kind.UPPER_BOUND
    assert true * (1 - 1e-5) <= outcome.finding.value <= times * true


@norms
def test_without_an_epsilon_it_comes_near_the_true_radius(norm):
    model = linear((1, 4, 4))
    x = np.random.default_rng(5).uniform(0.4, 0.6, (4, 1, 4, 4)).astype(np.float32)
    what = Samples(x, tuple(range(4)), None)
    for box in (Box.unbounded(), Box(np.float32(-9) * np.ones(()), np.float32(9) * np.ones(()))):
        outcomes = run(model, what, SQUARE, SQUARE.params(), Threat(norm, box), Budget(2000), seed=0)
        ratios = [o.finding.value / model.radius(xi, o.finding.label, norm) for o, xi in zip(outcomes, x, strict=True)]
        assert np.median(ratios) < 2.0


@norms
def test_scaling_the_logits_changes_nothing_and_shifting_them_all_next_to_nothing(norm):
    model = linear((1, 4, 4))
    x = np.random.default_rng(5).uniform(0.4, 0.6, (4, 1, 4, 4)).astype(np.float32)

    def values(scale: float = 1.0, shift: float = 0.0) -> list[float]:
        moved = Linear(scale * model.weights, scale * model.bias + shift, model.shape)
        what = Samples(x, tuple(range(4)), None)
        outcomes = run(moved, what, SQUARE, SQUARE.params(), Threat(norm, Box.unbounded()), Budget(500), seed=0)
        return [outcome.finding.value for outcome in outcomes]

    assert values(scale=8) == values()
    assert values(shift=1) == pytest.approx(values(), rel=1e-3)


@norms
def test_a_targeted_search_reaches_its_target(norm):
    model = linear((1, 4, 4))
    x = np.random.default_rng(5).uniform(0.4, 0.6, (4, 1, 4, 4)).astype(np.float32)
    targets = (model.labels(x) + 1) % 3
    outcomes = run(
        model,
        Samples(x, tuple(range(4)), None, targets),
        SQUARE,
        SQUARE.params(),
        Threat(norm, Box.unbounded(), targeted="given"),
        Budget(2000),
        seed=0,
    )
    reached = [
        (model.labels(o.x_adv[None])[0], t) for o, t in zip(outcomes, targets, strict=True) if o.x_adv is not None
    ]
    assert reached and all(a == b for a, b in reached)


def test_a_radius_too_small_for_float32_ends_instead_of_redrawing_for_ever():
    model = linear((1, 4, 4))
    x = np.random.default_rng(5).uniform(0.4, 0.6, (1, 1, 4, 4)).astype(np.float32)
    (outcome,) = run(
        model,
        Samples(x, (0,), None),
        SQUARE,
        SQUARE.params(steps=50),
        Threat(Norm.LINF, epsilon=1e-12),
        Budget(),
        seed=0,
    )
    assert (outcome.finding.kind, outcome.finding.ended, outcome.finding.queries) == (Kind.ABSTAINED, "finished", 2)


class Sure(Linear):
    """A linear model that gives probabilities, so sure of its label that float32 rounds it to 1."""

    def __init__(self, *args, gives_probabilities):
        super().__init__(*args)
        self.gives_probabilities = gives_probabilities

    def logits(self, x):
        z = super().logits(x)
        if not self.gives_probabilities:
            return z
        p = np.exp(z - z.max(axis=1, keepdims=True))
        return p / p.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("targeted", [None, "runner_up"])
def test_probabilities_near_1_are_followed_as_logits_are_and_were_not_by_earlier_versions(targeted):
    rng = np.random.default_rng(4)
    weights, bias = rng.normal(size=(3, 36)), np.array([64.0, 0.0, 0.5])
    x = np.random.default_rng(5).uniform(0.4, 0.6, (6, 1, 6, 6)).astype(np.float32)
    kept = {}
    for version, gives in [("3", False), ("3", True), ("2", True)]:
        model = Sure(6 * weights, bias, (1, 6, 6), gives_probabilities=gives)
        row = SQUARE if version == SQUARE.version else next(old for old in SQUARE.earlier if old.version == version)
        threat = Threat(Norm.LINF, Box.unbounded(), targeted=targeted, epsilon=0.24)
        outcomes = run(model, Samples(x, tuple(range(6)), None), row, SQUARE.params(), threat, Budget(300), seed=0)
        kept[version, gives] = [o.finding.queries if o.x_adv is not None else 300 for o in outcomes]
    assert np.mean(kept["3", True]) <= 1.2 * np.mean(kept["3", False]) < 0.7 * np.mean(kept["2", True])


class Rounded(Linear):
    """A linear model that tells its probabilities to two digits, and is sure of its label far from the boundary."""

    gives_probabilities = True

    def logits(self, x):
        z = super().logits(x)
        p = np.exp(z - z.max(axis=1, keepdims=True))
        return np.round(p / p.sum(axis=1, keepdims=True), 2)


def test_rounded_probabilities_are_warned_of_and_searched_by_labels_where_earlier_versions_stood_still():
    weights, shape = 20 * np.random.default_rng(4).normal(size=(3, 64)), (1, 8, 8)
    bias = -weights.sum(axis=1) / 2
    model = Rounded(weights, bias, shape)
    x = np.random.default_rng(5).uniform(0.3, 0.7, (2, *shape)).astype(np.float32)[1:]
    true = Linear(weights, bias, shape).radius(x[0], int(model.labels(x)[0]), Norm.LINF)
    told = []
    for row in (SQUARE, SQUARE.earlier[0]):
        threat = Threat(Norm.LINF, epsilon=1.5 * true)
        (outcome,) = run(model, Samples(x, (0,), None), row, row.params(), threat, Budget(600), seed=0)
        told.append((outcome.finding.kind, outcome.finding.details.get("warnings")))
    assert told == [(Kind.UPPER_BOUND, ["plateau"]), (Kind.ABSTAINED, None)]


@norms
def test_where_scores_tell_the_way_no_step_is_taken_for_flat(norm):
    model = linear((1, 4, 4))
    x = np.random.default_rng(5).uniform(0.4, 0.6, (4, 1, 4, 4)).astype(np.float32)
    what = Samples(x, tuple(range(4)), None)
    newest = run(model, what, SQUARE, SQUARE.params(), Threat(norm), Budget(600), seed=0)
    assert all("warnings" not in o.finding.details for o in newest)
    if norm is not Norm.L1:  # which version 1 did not know
        first = run(model, what, SQUARE.earlier[-1], SQUARE.params(), Threat(norm), Budget(600), seed=0)
        assert [o.finding for o in newest] == [o.finding for o in first], "of logits all versions say the same"
