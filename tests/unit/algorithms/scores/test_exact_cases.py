"""What scores are held against is true: ways to the robust radius that have nothing in common agree."""

import numpy as np
import pytest

from algorithms.mathematics.norms import Norm
from tests.exact import radius_along_rays, smooth_cases
from tests.programs import programmed_radius
from tests.regions import exact_radius
from tests.scored import sample, tiny
from tests.truths import Disc


@pytest.mark.parametrize("norm", [Norm.L1, Norm.LINF])
@pytest.mark.parametrize("seed", range(3))
def test_programs_and_the_walk_through_all_regions_find_the_same_radius(seed, norm):
    d = 2 + seed % 2
    net, x = tiny(seed, d=d, hidden=6), sample(d, seed).astype(np.float64)
    label = int(net.logits(x[None]).argmax())
    assert programmed_radius(net, x, label, norm, 5.0) == pytest.approx(
        exact_radius(net, x, label, norm, 5.0), rel=1e-6
    )


def test_a_change_beyond_reach_is_none_to_a_program():
    net, x = tiny(0), sample(2, 0).astype(np.float64)
    label = int(net.logits(x[None]).argmax())
    radius = exact_radius(net, x, label, Norm.LINF, 5.0)
    assert programmed_radius(net, x, label, Norm.LINF, 0.99 * radius) == np.inf


def test_rays_find_the_rim_of_a_disc():
    x = np.array([0.3, -0.2])
    assert radius_along_rays(Disc(np.zeros(2), 1.0), x, 0) == pytest.approx(1 - np.linalg.norm(x), rel=1e-6)


def test_nothing_nearer_than_the_shortest_ray_is_answered_otherwise():
    [case] = smooth_cases(1)
    offsets = np.random.default_rng(0).normal(size=(100_000, 2))
    offsets *= case.radius * np.random.default_rng(1).random((100_000, 1)) / np.linalg.norm(offsets, axis=1)[:, None]
    labels = case.model.logits(case.x + offsets).argmax(axis=1)
    assert (labels == case.model.logits(case.x[None].astype(np.float64)).argmax()).all()
