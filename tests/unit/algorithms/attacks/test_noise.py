"""Noise against what is known of linear models: in l1 the corners of the ball are drawn too."""

import numpy as np
import pytest

from algorithms.attacks.noise import METHOD
from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import NORMS, Counting, Norm
from algorithms.method import Budget, Method
from algorithms.seam.claims import Outcome
from algorithms.threats.threat import Box, Threat
from tests import counted
from tests.truths import Linear

(FIRST,) = METHOD.earlier
MODEL = Linear(np.random.default_rng(1).normal(size=(3, 40)), np.zeros(3), (2, 20))
X = np.random.default_rng(2).uniform(-1, 1, (5, 2, 20)).astype(np.float32)


def distances(noise: Method, norm: Norm, queries: int) -> list[float]:
    outcomes = run(
        MODEL,
        Samples(X, tuple(range(len(X))), None),
        noise,
        noise.params(),
        Threat(norm, Box.unbounded()),
        Budget(queries),
        seed=0,
    )
    return [outcome.finding.value for outcome in outcomes]


def test_in_l1_a_feature_moved_alone_reaches_a_flat_boundary_where_it_is_nearest():
    labels = MODEL.logits(X.reshape(5, -1)).argmax(axis=1)
    true = np.array([MODEL.radius(x, label, Norm.L1) for x, label in zip(X, labels, strict=True)])
    near, dense = (np.array(distances(noise, Norm.L1, 400)) / true for noise in (METHOD, FIRST))
    assert (near >= 1 - 1e-5).all() and (near < 1.6).all() and np.median(near) < 1.2, near
    assert (dense > 2.5).all(), dense


def test_in_the_other_norms_it_draws_what_it_always_drew():
    for norm in set(NORMS) - {Norm.L1}:
        assert distances(METHOD, norm, 200) == distances(FIRST, norm, 200)


def changes(pixels=None, box: Box = Threat().box, epsilon: float | None = None, points: int = 400) -> list[Outcome]:
    threat = Threat[Counting](Counting.L0, box, epsilon=epsilon, pixels=pixels)
    return run(counted.linear(), counted.samples(), METHOD, METHOD.params(points=points), threat, Budget(None), seed=0)


@pytest.mark.parametrize("pixels", [None, counted.PIXELS], ids=["features", "pixels"])
def test_in_l0_it_comes_near_the_exact_count_and_never_below(pixels):
    found = np.array([outcome.finding.value for outcome in changes(pixels)])
    true = np.array(counted.exact(counted.linear(), pixels))
    assert (found >= true).all() and (found <= 6 * true).all() and (found % 1 == 0).all()


def test_in_l0_where_one_change_is_enough_it_ends_with_one():
    outcomes = changes(box=Box.unbounded())
    assert [outcome.finding.value for outcome in outcomes] == [1.0] * 4
    assert max(outcome.finding.queries for outcome in outcomes) < 100


def test_in_l0_within_an_epsilon_it_changes_so_many_and_ends_with_the_first_success():
    for outcome in changes(epsilon=40.0):
        assert outcome.finding.value <= 40.0 and outcome.finding.queries < 100


def test_the_first_version_knows_no_l0():
    assert FIRST.norms == NORMS
