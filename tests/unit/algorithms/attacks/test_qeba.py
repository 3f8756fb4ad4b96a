"""QEBA: HopSkipJump to the bit where both are told the same, and what it does by itself where nothing is said."""

from dataclasses import replace

import numpy as np
import pytest

from algorithms.artifacts.basis import BASIS
from algorithms.attacks.hopskipjump import HopSkipJumpParams
from algorithms.attacks.qeba import QEBAParams
from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.claims import Outcome
from algorithms.searches.directions.bilinear import Bilinear
from algorithms.searches.directions.spanning import spanning_basis
from algorithms.threats.threat import Box, Threat
from tests.truths import Linear

QEBA, HOPSKIPJUMP = method("qeba"), method("hopskipjump")
SHAPE = (1, 16, 16)
norms = pytest.mark.parametrize("norm", QEBA.norms)


def smooth_model() -> tuple[Linear, np.ndarray]:
    """A model of images, and the slopes (2, d) of its classes: a difference of two resized grids."""
    slopes = np.empty((2, *SHAPE), np.float32)
    Bilinear.of(SHAPE, None).draw(np.random.default_rng(1), slopes)
    slopes = slopes.reshape(2, -1)
    return Linear(slopes, np.array([0.3, 0.0]), SHAPE), slopes


def samples(n: int = 3) -> Samples:
    x = np.random.default_rng(2).uniform(0.45, 0.55, (n, *SHAPE)).astype(np.float32)
    return Samples(x, tuple(range(n)), None)


def go(
    params: QEBAParams | HopSkipJumpParams, what: Samples, norm: Norm = Norm.L2, queries: int = 800
) -> list[Outcome]:
    """Either method, with the random numbers of the one."""
    chosen = replace(method(params.name), name="qeba")
    model, _ = smooth_model()
    threat = Threat(norm=norm, box=Box.unbounded())
    return run(model, what, chosen, params, threat, Budget(queries), seed=1)


@norms
def test_told_the_same_it_is_hopskipjump_to_the_bit(norm):
    same = {"directions": "bilinear", "initial_directions": 50}
    its = go(QEBAParams(gamma=0.015625, **same), samples(), norm)
    theirs = go(HopSkipJumpParams(gamma=0.015625 * 256, **same), samples(), norm)
    assert [o.finding for o in its] == [o.finding for o in theirs]
    np.testing.assert_array_equal([o.x_adv for o in its], [o.x_adv for o in theirs])


@norms
def test_it_sees_a_smooth_normal_with_fewer_queries_than_hopskipjump(norm):
    """Resized grids of 8 x 8 hold the normal; 256 dimensions hold it too, and much else."""
    its, theirs = (
        np.median([o.finding.value for o in go(params, samples(), norm)])
        for params in (QEBAParams(), HopSkipJumpParams())
    )
    assert its < 0.95 * theirs


@norms
def test_it_comes_within_10_percent_of_the_truth_and_never_below(norm):
    model, _ = smooth_model()
    what = samples()
    for outcome, x in zip(go(QEBAParams(), what, norm, queries=6000), what.x, strict=True):
        ratio = outcome.finding.value / model.radius(x, outcome.finding.label, norm)
        assert 1 - 1e-6 <= ratio <= 1.1


def test_gradients_as_auxiliary_samples_make_it_the_papers_third_form():
    """QEBA-I: of a model whose gradients span two dimensions, a cloud tells all."""
    model, slopes = smooth_model()
    what = replace(samples(), prepared={BASIS: spanning_basis(slopes)})
    for outcome, x in zip(go(QEBAParams(directions="spanning"), what, queries=1500), what.x, strict=True):
        assert outcome.finding.value <= 1.03 * model.radius(x, outcome.finding.label, Norm.L2)
