"""Bandits on models whose robust radius is known, and its prior."""

import numpy as np
import pytest

from algorithms.attacks.bandits.attack import _exponentiated
from algorithms.attacks.bandits.tiles import Tiles
from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.claims import Kind
from algorithms.threats.threat import Box, Threat
from tests.truths import Linear

BANDITS = method("bandits")
SHAPE, N = (1, 4, 4), 4
NORMS = pytest.mark.parametrize("norm", [Norm.LINF, Norm.L2])
X = np.random.default_rng(1).uniform(0.3, 0.7, (N, *SHAPE)).astype(np.float32)


class Answers(Linear):
    """A linear model whose logits are answered as `shown` says."""

    def __init__(self, shown=None, probabilities=False, steepness=1.0):
        rng = np.random.default_rng(2)
        super().__init__(steepness * rng.normal(size=(3, 16)), steepness * 0.1 * rng.normal(size=3), SHAPE)
        self.shown, self.gives_probabilities = shown, probabilities

    def _scores(self, rows):
        z = self.logits(rows.reshape(len(rows), -1).astype(np.float64))
        return (z if self.shown is None else self.shown(z)).astype(np.float32)


def softmax(z):
    p = np.exp(z - z.max(axis=1, keepdims=True))
    return p / p.sum(axis=1, keepdims=True)


def attack(model, norm, *, epsilon=None, targeted=None, **params):
    chosen = BANDITS.params.model_validate({"name": "bandits", "tile": 4, **params})
    threat = Threat(norm, Box.unbounded(), epsilon=epsilon, targeted=targeted)
    samples = Samples(X, tuple(range(N)), None)
    return [o.finding for o in run(model, samples, BANDITS, chosen, threat, Budget(1500), seed=3)]


def radius(finding, norm):
    return Answers().radius(X[finding.index], finding.label, norm)


@NORMS
@pytest.mark.parametrize("steepness", [0.01, 100.0])
def test_it_comes_close_to_the_nearest_point_of_a_linear_model_on_any_scale_of_its_scores(norm, steepness):
    for finding in attack(Answers(steepness=steepness), norm):
        assert radius(finding, norm) * (1 - 1e-5) <= finding.value <= 1.5 * radius(finding, norm)


@NORMS
def test_beyond_the_robust_radius_it_succeeds_and_below_it_does_not(norm):
    reach = [radius(f, norm) for f in attack(Answers(), norm, epsilon=1e-3)]
    for share, kind in ((1.3, Kind.UPPER_BOUND), (0.99, Kind.ABSTAINED)):
        for i in range(N):
            assert attack(Answers(), norm, epsilon=share * reach[i])[i].kind is kind


@NORMS
@pytest.mark.parametrize("targeted", [None, "least_likely"])
def test_probabilities_lead_where_the_logits_behind_them_do(norm, targeted):
    by_logits = attack(Answers(), norm, targeted=targeted)
    by_probabilities = attack(Answers(softmax, probabilities=True), norm, targeted=targeted)
    for a, b in zip(by_logits, by_probabilities, strict=True):
        assert b.value == pytest.approx(a.value, rel=0.1)


@NORMS
@pytest.mark.parametrize("digits", [2, 4])
def test_rounded_probabilities_are_searched_across_their_plateaus_and_that_is_said(norm, digits):
    model = Answers(lambda z: np.round(softmax(z), digits), probabilities=True, steepness=20.0)
    findings = attack(model, norm)
    assert any(f.details.get("warnings") == ["plateau"] for f in findings)
    assert all(f.value <= 3 * radius(f, norm) for f in findings)


@NORMS
def test_scores_that_tell_nothing_end_it_with_the_reason(norm):
    model = Answers(lambda z: (z == z.max(axis=1, keepdims=True)).astype(float), probabilities=True)
    for finding in attack(model, norm, epsilon=1e-3):
        assert (finding.kind, finding.details["reason"]) == (Kind.ABSTAINED, "plateau")
        assert finding.details["warnings"] == ["plateau"]


@NORMS
def test_where_scores_tell_nothing_noise_is_halved_back_to_the_boundary(norm):
    model = Answers(lambda z: (z == z.max(axis=1, keepdims=True)).astype(float), probabilities=True)
    findings = attack(model, norm)
    assert {finding.kind for finding in findings} == {Kind.UPPER_BOUND}
    assert all(finding.value >= radius(finding, norm) * (1 - 1e-5) for finding in findings)


def test_an_exponentiated_gradient_is_the_papers_and_leaves_a_prior_movable():
    prior, gain = np.array([-0.9, 0.0, 0.5], np.float32), np.array([0.3, -0.2, 1.0], np.float32)
    p = (prior.astype(np.float64) + 1) / 2
    after = p * np.exp(gain) / (p * np.exp(gain) + (1 - p) * np.exp(-gain))
    assert _exponentiated(prior, gain) == pytest.approx(2 * after - 1, abs=1e-6)
    far = np.float32(0.5)
    for step in [50.0] * 3 + [-8.0] * 3:
        far = _exponentiated(np.array([far]), np.array([step], np.float32))[0]
    assert -1 < far < 0


@pytest.mark.parametrize(
    ("shape", "tile", "count"),
    [((1, 4, 4), None, 4), ((3, 5, 5), 2, 12), ((5, 5, 3), 2, 12), ((7,), None, 7), ((1, 4, 4), 9, 16)],
    ids=str,
)
def test_tiles_cover_all_features_and_channels_share_none(shape, tile, count):
    tiles = Tiles.of(shape, tile)
    assert tiles.count == count and set(tiles.place.tolist()) == set(range(count))
    spread = tiles.spread(np.arange(count, dtype=np.float32)).reshape(shape)
    if len(shape) == 3 and 3 in shape:
        channels = np.moveaxis(spread, -1, 0) if shape[-1] == 3 else spread
        assert not set(channels[0].ravel()) & set(channels[1].ravel())
    if shape == (3, 5, 5):
        assert np.array_equal(spread[0], np.kron([[0, 1], [2, 3]], np.ones((3, 3)))[:5, :5])
