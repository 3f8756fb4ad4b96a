"""AutoZOOM where the truth is known: how near it comes, what it spends, and in which space its changes lie."""

import numpy as np
import pytest

from algorithms.artifacts.autoencoder import Autoencoder
from algorithms.attacks.autozoom.params import AutoZOOMParams
from algorithms.attacks.autozoom.spaces import space_of
from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.mathematics.streams import Stream
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.case import Case
from algorithms.seam.claims import Kind
from algorithms.searches.directions.bilinear import Bilinear
from algorithms.searches.directions.low_frequencies import LowFrequencies
from algorithms.threats.threat import Box, Threat
from tests.truths import Constant, Linear

AUTOZOOM = method("autozoom")
SHAPE, N, CLASSES = (1, 5, 6), 4, 4
D = 30
X = np.random.default_rng(1).uniform(0.3, 0.7, (N, *SHAPE)).astype(np.float32)
LAYERS = Autoencoder.of(SHAPE, 1)
BASIS = np.linalg.qr(np.random.default_rng(4).normal(size=(D, 9)))[0].T.astype(np.float32)
PREPARED = {
    "basis": BASIS,
    **{
        name: np.random.default_rng(3).normal(size=size).astype(np.float32) / 5 for name, size in LAYERS.decoder.items()
    },
}
SPACES = ("full", "dct", "bilinear", "spanning", "decoder")


class Scaled(Linear):
    """A linear model whose logits are so many times as large, or their soft-max, or that rounded."""

    def __init__(self, times: float = 1.0, digits: int | None = None, probabilities: bool = False) -> None:
        rng = np.random.default_rng(2)
        super().__init__(times * rng.normal(size=(CLASSES, D)), times * 0.1 * rng.normal(size=CLASSES), SHAPE)
        self.gives_probabilities, self._digits = probabilities, digits

    def _scores(self, rows):
        z = self.logits(rows.reshape(len(rows), -1).astype(np.float64))
        if self.gives_probabilities:
            p = np.exp(z - z.max(axis=1, keepdims=True))
            z = p / p.sum(axis=1, keepdims=True)
        return (z if self._digits is None else np.round(z, self._digits)).astype(np.float32)


def attack(model, *, queries=4000, epsilon=None, targeted=None, box=None, x=X, prepared=None, **params):
    threat = Threat(Norm.L2, box or Box.unbounded(), epsilon=epsilon, targeted=targeted)
    chosen = AUTOZOOM.params.model_validate({"name": "autozoom", "directions": "full", **params})
    samples = Samples(x, tuple(range(len(x))), None, prepared=prepared or {})
    return run(model, samples, AUTOZOOM, chosen, threat, Budget(queries), seed=3)


@pytest.mark.parametrize(
    "model", [Scaled(), Scaled(1e-3), Scaled(1e3), Scaled(probabilities=True)], ids=["1", "0.001", "1000", "soft-max"]
)
def test_on_a_linear_model_of_any_scale_it_comes_near_the_truth_and_never_below(model):
    for outcome, x in zip(attack(model), X, strict=True):
        truth = Scaled().radius(x, outcome.finding.label, Norm.L2)
        assert truth * (1 - 1e-6) <= outcome.finding.value <= 1.25 * truth


def test_a_target_is_reached_about_as_near_as_it_is():
    model = Scaled()
    for outcome, x in zip(attack(model, targeted="least_likely"), X, strict=True):
        z = model.logits(x.reshape(1, -1).astype(np.float64))[0]
        target = int(z.argmin())
        assert model.logits(outcome.x_adv.reshape(1, -1).astype(np.float64))[0].argmax() == target
        w = model.weights[target] - model.weights[outcome.finding.label]
        assert outcome.finding.value >= (z.max() - z.min()) / np.linalg.norm(w) * (1 - 1e-6)
        assert outcome.finding.value <= 2 * (z.max() - z.min()) / np.linalg.norm(w) + 1


def test_samples_and_box_a_hundred_times_as_large_are_attacked_alike():
    small = attack(Scaled(), box=Box(np.float32(0), np.float32(1)))
    model = Scaled()
    model.weights = model.weights / 100
    large = attack(model, box=Box(np.float32(0), np.float32(100)), x=100 * X)
    for a, b in zip(small, large, strict=True):
        assert b.finding.value == pytest.approx(100 * a.finding.value, rel=0.2)


@pytest.mark.parametrize("directions", SPACES)
def test_changes_are_what_the_space_makes(directions):
    (outcome, *_) = attack(Scaled(), queries=600, prepared=PREPARED, directions=directions)
    case = Case(X[0], 0, None, None, CLASSES, Stream(0, 0, "test"), prepared=PREPARED)
    space = space_of(case, AutoZOOMParams(directions=directions))
    assert outcome.finding.kind == Kind.UPPER_BOUND
    if directions != "decoder":  # which is not linear
        spanned = space.decode(np.eye(space.size, dtype=np.float32)).astype(np.float64)
        offset = (outcome.x_adv.astype(np.float64) - X[0]).ravel()
        rest = offset - spanned.T @ np.linalg.lstsq(spanned.T, offset, rcond=None)[0]
        assert np.linalg.norm(rest) < 1e-5 * np.linalg.norm(offset)


@pytest.mark.parametrize("directions", ["full", "dct", "bilinear", "spanning"])
def test_normal_numbers_make_changes_of_mean_square_1_and_rows_do_not_depend_on_company(directions):
    case = Case(X[0], 0, None, None, CLASSES, Stream(0, 0, "test"), prepared=PREPARED)
    space = space_of(case, AutoZOOMParams(directions=directions))
    z = np.random.default_rng(0).standard_normal((4000, space.size), dtype=np.float32)
    every = space.decode(z)
    assert every.shape == (4000, D)
    assert np.square(every, dtype=np.float64).mean() == pytest.approx(1, rel=0.05)
    assert not space.decode(np.zeros((1, space.size), np.float32)).any()
    np.testing.assert_array_equal(space.decode(z[5:6])[0], every[5])


def test_spaces_are_as_large_as_the_laws_they_come_from():
    case = Case(X[0], 0, None, None, CLASSES, Stream(0, 0, "test"), prepared=PREPARED)
    grid, cosines = Bilinear.of(SHAPE, 3), LowFrequencies.of(SHAPE, 0.25)
    sizes = [space_of(case, AutoZOOMParams(directions=directions, grid=3)).size for directions in SPACES]
    assert sizes == [D, len(cosines.down) * len(cosines.across), len(grid.down) * len(grid.across), 9, 9]


@pytest.mark.parametrize(
    ("shape", "grid", "size"), [((12,), None, 12), ((12,), 6, 6), ((4, 9), None, 36), ((8, 8), None, 16)]
)
def test_tables_and_very_small_images_are_searched_whole_unless_a_grid_is_asked_for(shape, grid, size):
    case = Case(np.zeros(shape, np.float32), 0, None, None, CLASSES, Stream(0, 0, "test"))
    assert space_of(case, AutoZOOMParams(grid=grid)).size == size


def test_the_first_success_and_the_last_are_told_and_the_last_is_no_farther():
    for outcome in attack(Scaled(), queries=1000):
        finding = outcome.finding
        first, queries = finding.details["first_success_distance"], finding.details["first_success_queries"]
        assert finding.value <= first
        assert 1 < queries <= finding.queries
        assert finding.details["curve"][0] == pytest.approx([queries, first], rel=1e-6)


def test_a_step_costs_two_rows_before_the_first_success():
    """And the clean row one, which is the point of the first step."""
    asked = []

    class Counted(Constant):
        def _scores(self, rows):
            asked.append(len(rows))
            return super()._scores(rows) + rows.reshape(len(rows), -1)[:, :1] * np.float32([1e-3, 0, 0, 0])

    (outcome,) = attack(Counted(np.array([5.0, 0.1, 0.0, -0.1]), SHAPE), queries=100, x=X[:1], iterations=10)
    assert (asked, outcome.finding.queries) == ([1, 1, *[2] * 9], 20)


def test_rounded_probabilities_are_told_of_and_searched_with_wider_steps():
    for outcome in attack(Scaled(digits=2, probabilities=True)):
        assert outcome.finding.kind == Kind.UPPER_BOUND
        assert "plateau" in outcome.finding.details["warnings"]


def test_a_model_that_answers_everything_alike_ends_early():
    for outcome in attack(Constant(np.array([0.5, 0.1, 0.0, -0.1]), SHAPE)):
        assert (outcome.finding.kind, outcome.finding.value) == (Kind.ABSTAINED, None)
        assert outcome.finding.queries < 300


def test_a_corner_of_the_box_is_no_plateau():
    """The slope leads into the corner, where rows beside the point are clipped to it, and no class changes there."""
    w = np.zeros((2, D))
    w[0], w[1] = 1.0, -1.0
    model = Linear(w, np.array([20.0, -20.0]), SHAPE)
    for outcome in attack(model, queries=1500, learning_rate=0.1, box=Box(np.float32(0), np.float32(1))):
        assert outcome.finding.kind == Kind.ABSTAINED
        assert "warnings" not in outcome.finding.details


def test_within_epsilon_it_stops():
    far = [outcome.finding for outcome in attack(Scaled())]
    radius = 1.5 * max(finding.value for finding in far)
    near = [outcome.finding for outcome in attack(Scaled(), epsilon=radius)]
    assert all(finding.value <= radius for finding in near)
    assert sum(finding.queries for finding in near) < 0.5 * sum(finding.queries for finding in far)


def test_kappa_is_a_lead_of_scores():
    model = Scaled()
    for outcome in attack(model, confidence=0.5):
        z = np.sort(model.logits(outcome.x_adv.reshape(1, -1).astype(np.float64))[0])
        assert z[-1] - z[-2] >= 0.5 - 1e-5
