from itertools import pairwise

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.special import ndtr

from algorithms.certificates.smoothing import SmoothingParams, least_votes, minimum, radius
from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.claims import Finding, Kind
from algorithms.threats.threat import Box, Threat
from tests.truths import Constant, Linear

ALPHA = 0.001
GOLDEN = [  # certification.md 3.2: n_A, N, p_lower, Phi^-1(p_lower)
    (100, 100, 0.9332543008, 1.5004750),
    (99, 100, 0.9113731113, 1.3492590),
    (90, 100, 0.7753298802, 0.7565154),
    (60, 100, 0.4409842652, None),
    (1000, 1000, 0.9931160484, 2.4632626),
    (9900, 10_000, 0.9865311593, 2.2124197),
    (10_000, 10_000, 0.9993094630, 3.1985775),
    (99_000, 100_000, 0.9889893404, 2.2900000),
    (51_000, 100_000, 0.5051093492, 0.0128076),
    (100_000, 100_000, 0.9999309248, 3.8114566),
]
UNBOUNDED = Threat(box=Box.unbounded())


def binary(offset: float = 0.0) -> Linear:
    """Two classes, 0 where w.x + offset > 0; r* = (w.x + offset) / ||w|| in l2."""
    w = np.array([3.0, 0.0, 4.0])
    return Linear(np.stack([w, -w]), np.array([offset, -offset]))


def certify(model, x, *, seed=0, threat=UNBOUNDED, labels=None, queries=10_000, **params) -> list[Finding]:
    what = Samples(np.atleast_2d(np.asarray(x, np.float32)), tuple(range(len(np.atleast_2d(x)))), labels)
    chosen = method("smoothing")
    return [o.finding for o in run(model, what, chosen, SmoothingParams(**params), threat, Budget(queries), seed=seed)]


@pytest.mark.parametrize(("votes", "n", "p_lower", "quantile"), GOLDEN, ids=lambda v: str(v))
def test_the_golden_table_comes_out(votes, n, p_lower, quantile):
    p, certified = radius(votes, n, sigma=1.0, alpha=ALPHA)
    assert p == pytest.approx(p_lower, abs=1e-10)
    assert certified is None if quantile is None else certified == pytest.approx(quantile, abs=1e-7)


def test_66_votes_of_100_are_the_fewest_that_certify():
    assert min(v for v in range(101) if radius(v, 100, sigma=1.0, alpha=ALPHA)[1] is not None) == 66


def test_a_radius_grows_with_votes_scales_with_sigma_and_falls_with_confidence():
    radii = [radius(v, 100, sigma=1.0, alpha=ALPHA)[1] for v in range(66, 101)]
    assert all(a < b for a, b in pairwise(radii))
    assert radius(90, 100, sigma=0.5, alpha=ALPHA)[1] == pytest.approx(radii[90 - 66] / 2)
    assert radius(90, 100, sigma=1.0, alpha=1e-6)[1] < radii[90 - 66]


@pytest.mark.parametrize("alpha", [0.4, 0.25, 0.05, 0.001, 2.0**-20, 1e-12])
def test_the_least_n_certifies_and_one_vote_fewer_does_not(alpha):
    n = least_votes(alpha)
    assert radius(n, n, sigma=1.0, alpha=alpha)[1] > 0
    assert n == 1 or not radius(n - 1, n - 1, sigma=1.0, alpha=alpha)[1]


def test_an_n_that_could_certify_nothing_is_refused_with_the_least_that_could():
    with pytest.raises(ValidationError, match="n must be at least 10"):
        SmoothingParams(n=9, alpha=0.001)
    assert SmoothingParams(n=10, alpha=0.001).n == 10


def test_the_defaults_fit_the_default_budget():
    assert minimum(SmoothingParams(), UNBOUNDED).queries == 9_101 <= Budget().queries


def test_a_constant_classifier_reaches_the_ceiling():
    (finding,) = certify(Constant(np.array([1.0, 0.0]), (3,)), [0, 0, 0], sigma=0.5, n0=10, n=1000)
    assert finding.kind is Kind.SMOOTHED_LOWER_BOUND and finding.confidence == 0.999
    assert finding.value == finding.details["radius_ceiling"] == pytest.approx(0.5 * 2.4632626)
    assert finding.queries == 1011 and finding.details["counts"] == {"0": 1000}


def test_of_a_linear_model_the_radius_passes_the_true_one_as_rarely_as_alpha_says():
    """P(more than 8 of 200 fail at alpha = .01) = 2e-4 a seed; the seeds are fixed."""
    model, x = binary(), np.array([0.1, 0.0, 0.1])
    true = 0.7 / 5
    findings = [certify(model, x, seed=s, sigma=0.25, n0=20, n=200, alpha=0.01)[0] for s in range(200)]
    values = [f.value for f in findings if f.value is not None]
    assert len(values) > 150
    assert sum(v > true for v in values) <= 8


def test_of_a_linear_model_the_radius_approaches_the_true_one_with_n():
    model, x = binary(), np.array([0.1, 0.0, 0.1])
    (few,), (many,) = (certify(model, x, n=n, queries=None) for n in (500, 50_000))
    assert few.value < many.value <= 0.14
    assert many.value == pytest.approx(0.14, rel=0.05)
    assert many.details["counts"]["0"] / 50_000 == pytest.approx(ndtr(0.14 / 0.25), abs=0.01)


def test_the_votes_that_choose_the_class_are_not_the_votes_that_count():
    model = binary()
    certify(model, [0.1, 0.0, 0.1], n0=100, n=500)
    selection, estimation = np.split(np.concatenate(model.queried[1:]), [100])
    assert len(estimation) == 500
    assert len(np.unique(np.concatenate([selection, estimation]), axis=0)) == 600


def test_all_rows_lie_in_the_box_and_the_finding_says_that_noise_was_clipped():
    model = binary(-3.0)
    (finding,) = certify(model, [0.9, 0.5, 0.9], threat=Threat(), n0=20, n=200)
    rows = np.concatenate(model.queried)
    assert 0 <= rows.min() < rows.max() <= 1 and finding.details["clipped"]
    assert not certify(model, [0.9, 0.5, 0.9], n0=20, n=200)[0].details["clipped"]


def test_a_smoothed_class_that_is_not_the_label_abstains_and_is_named():
    """f says 0 on a thin slab around x alone, so that g says 1."""

    class Slab(Linear):
        def logits(self, x):
            near = 0.01 - np.abs(x[:, :1])
            return np.concatenate([near, -near], axis=1)

    (finding,) = certify(Slab(np.zeros((2, 3)), np.zeros(2)), [0, 0, 0], n0=50, n=500)
    assert (finding.kind, finding.value, finding.details["reason"]) == (Kind.ABSTAINED, None, "undecided")
    assert finding.details["smoothed_label"] == 1 and finding.details["radius"] > 0


def test_a_class_without_a_clear_majority_is_undecided():
    (finding,) = certify(binary(), [1e-6, 0.0, 0.0], n0=20, n=100)
    assert finding.kind is Kind.ABSTAINED and finding.details["smoothed_label"] is None


@pytest.mark.parametrize(("epsilon", "value"), [(0.05, 0.05), (0.2, None), (5.0, None)], ids=str)
def test_at_an_epsilon_the_value_is_the_epsilon_or_nothing(epsilon, value):
    model = binary()
    threat = Threat(Norm.L2, Box.unbounded(), epsilon)
    (finding,) = certify(model, [0.1, 0.0, 0.1], threat=threat, n=2000)
    assert finding.value == value
    assert finding.kind is (Kind.ABSTAINED if value is None else Kind.SMOOTHED_LOWER_BOUND)
    assert finding.queries == (1 if epsilon == 5.0 else 2101), "above the ceiling no vote is asked for"


def test_renaming_the_classes_renames_the_answer_only():
    model = Linear(np.random.default_rng(1).normal(size=(3, 4)), np.zeros(3))
    order = np.array([2, 0, 1])  # new class i is old class order[i]
    renamed = Linear(model.weights[order], model.bias[order])
    x = np.random.default_rng(2).uniform(size=(4, 4))
    for a, b in zip(certify(model, x, n=500), certify(renamed, x, n=500), strict=True):
        assert (a.kind, a.value) == (b.kind, b.value) and order[b.label] == a.label


def test_a_budget_that_does_not_reach_decides_nothing():
    (finding,) = certify(binary(), [0.1, 0.0, 0.1], queries=500, n0=100, n=1000)
    assert (finding.kind, finding.ended, finding.queries) == (Kind.ABSTAINED, "budget", 357)
