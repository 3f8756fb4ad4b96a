"""Noise against what is known of linear models: in l1 the corners of the ball are drawn too."""

import numpy as np

from algorithms.attacks.noise import METHOD
from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import NORMS, Norm
from algorithms.method import Budget, Method
from algorithms.threats.threat import Box, Threat
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
