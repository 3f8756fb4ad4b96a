"""Whatever a method claims, the driver believes only what it measures itself and what the model shows."""

from dataclasses import replace

import numpy as np
import pytest

from algorithms.driver.running import Samples
from algorithms.mathematics.norms import NORMS
from algorithms.registry import method
from algorithms.seam.claims import Kind, UpperBound
from algorithms.threats.threat import Box
from tests.laws.members import SHAPE, go, linear, samples
from tests.truths import Constant

NOISE = method("noise")
X = samples((0,)).x[0]


def claiming(*points):
    """A method that asks nothing, and claims these points one after the other."""

    def run(case, threat, params):
        for point in points:
            yield UpperBound(point)

    return replace(NOISE, run=run)


def beyond(norm, share):
    """A point where the label changes, `share` times as far away as the nearest one along one feature."""
    model, label = linear(), int(linear().labels(X[None])[0])
    scores = model.scores(X[None])[0].astype(np.float64)
    slopes = model.weights[label] - model.weights
    gaps = np.delete(scores[label] - scores, label)[:, None] / np.abs(np.delete(slopes, label, axis=0))
    rival, feature = np.unravel_index(gaps.argmin(), gaps.shape)
    sign = np.sign(np.delete(slopes, label, axis=0)[rival, feature])
    point = X.astype(np.float64).ravel()
    point[feature] -= share * sign * gaps[rival, feature]
    return point.reshape(SHAPE).astype(np.float32)


@pytest.mark.parametrize("norm", NORMS)
def test_of_many_claims_the_nearest_is_kept_whichever_came_last(norm):
    far, near = beyond(norm, 2.0), beyond(norm, 1.1)
    (outcome,) = go(claiming(far, near, far), norm, linear(), samples((0,)), box=Box.unbounded())
    assert outcome.finding.kind is Kind.UPPER_BOUND
    np.testing.assert_array_equal(outcome.x_adv, near)
    offset = (near.astype(np.float64) - X).ravel()
    assert outcome.finding.value == pytest.approx(np.linalg.norm(offset, norm.p), rel=1e-12)


@pytest.mark.parametrize("norm", NORMS)
def test_a_claim_beyond_epsilon_is_dropped(norm):
    far, near = beyond(norm, 2.0), beyond(norm, 1.1)
    epsilon = float(np.linalg.norm((near.astype(np.float64) - X).ravel(), norm.p)) * 1.01
    (outcome,) = go(claiming(near, far), norm, linear(), samples((0,)), box=Box.unbounded(), epsilon=epsilon)
    np.testing.assert_array_equal(outcome.x_adv, near)
    (outcome,) = go(claiming(far), norm, linear(), samples((0,)), box=Box.unbounded(), epsilon=epsilon)
    assert (outcome.finding.kind, outcome.x_adv) == (Kind.ABSTAINED, None)


NOTHING = {"the sample itself": X, "a point outside the box": X + 7, "no numbers": X * np.nan}


@pytest.mark.parametrize("claimed", NOTHING.values(), ids=NOTHING)
def test_what_shows_nothing_is_no_success(claimed):
    (outcome,) = go(claiming(claimed), NORMS[0], linear(), samples((0,)))
    assert (outcome.finding.kind, outcome.x_adv) == (Kind.ABSTAINED, None)


def test_a_tie_is_no_success_where_scores_are_asked():
    scored = replace(claiming(X + 0.1), needs=method("square").needs)
    model, what = Constant(np.array([0.5, 0.5, 0.0, 0.0]), SHAPE), Samples(X[None], (0,), labels=None)
    (outcome,) = go(scored, NORMS[0], model, what)
    assert outcome.finding.details["reason"] == "not_confirmed"
