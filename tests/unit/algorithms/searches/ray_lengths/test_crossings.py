"""Where rays cross a boundary, on a half-space and on a ball, where g(theta) has a closed form."""

import math

import numpy as np
import pytest

from algorithms.searches.labels.ray import Ray
from algorithms.searches.ray_lengths.crossings import DoublingSteps, PercentSteps, find_crossings
from algorithms.threats.threat import Box, Threat
from tests.unit.algorithms.searches.conversing import answered

D, RAYS, TOLERANCE = 12, 40, 1e-4
FREE = Threat(box=Box.unbounded())
ways = pytest.mark.parametrize("steps", [PercentSteps(), DoublingSteps(1e-3)], ids=["paper", "doubling"])


def unit(rows):
    return rows / np.linalg.norm(rows, axis=-1, keepdims=True)


def directions(seed=0):
    return unit(np.random.default_rng(seed).normal(size=(RAYS, D)))


def found(rays, truth, steps, tolerance=TOLERANCE):
    """The crossings, and how many rows were asked about."""
    asked = []

    def ask(rows):
        asked.append(len(rows))
        return (yield rows)

    def search():
        won = yield from ask(rays.far)
        return (yield from find_crossings(rays, won, ask, steps, tolerance=tolerance))

    return answered(search(), lambda rows: truth(rows.astype(np.float64))), sum(asked)


@ways
@pytest.mark.parametrize("guess", [0.7, 1.0, 1.6])
def test_in_a_half_space_rays_are_as_long_as_the_margin_over_the_cosine(steps, guess):
    w = unit(np.random.default_rng(1).normal(size=D))
    theta = directions()
    theta *= np.sign(theta @ w)[:, None]
    truth = 0.3 / (theta @ w)
    rays = Ray(np.zeros((1, D), np.float32), theta, guess * truth, FREE)
    at, _ = found(rays, lambda z: z @ w >= 0.3, steps)
    assert at.has_crossed.all()
    assert (at.inner * rays.length <= truth * (1 + 1e-6)).all()
    assert (at.outer * rays.length >= truth * (1 - 1e-6)).all()
    assert (at.outer - at.inner <= TOLERANCE).all()


@ways
def test_out_of_a_ball_rays_are_as_long_as_the_quadratic_formula_says(steps):
    x, theta = np.zeros(D, np.float32), directions()
    x[0] = 0.4
    along = theta[:, 0] * 0.4
    truth = -along + np.sqrt(along**2 + 1 - 0.4**2)
    at, _ = found(Ray(x[None], theta, 0.9, FREE), lambda z: np.square(z).sum(axis=1) >= 1, steps)
    np.testing.assert_allclose(at.outer * 0.9, truth, atol=2 * TOLERANCE)


@ways
def test_a_ray_that_does_not_cross_is_told_of_and_costs_no_more_than_all_steps(steps):
    rays = Ray(np.zeros((1, D), np.float32), directions(), 1.0, FREE)
    at, asked = found(rays, lambda z: np.zeros(len(z), bool), steps)
    assert not at.has_crossed.any()
    assert asked == RAYS * (1 + steps.most)


@ways
def test_a_ray_that_is_adversarial_all_the_way_ends_where_the_steps_end(steps):
    rays = Ray(np.zeros((1, D), np.float32), directions(), 1.0, FREE)
    at, asked = found(rays, lambda z: np.ones(len(z), bool), steps)
    assert at.has_crossed.all()
    assert (at.outer < 1).all()
    assert asked == RAYS * (1 + steps.most)


@pytest.mark.parametrize("far", [1.0, 1.4])
def test_steps_of_one_percent_cost_what_algorithm_1_costs(far):
    """A guess, so many steps to the crossing, and the halvings of the last one."""
    truth = 1.003 * far
    rays = Ray(np.zeros((1, D), np.float32), directions()[:1], 1.0, FREE)
    at, asked = found(rays, lambda z: np.linalg.norm(z, axis=1) >= truth, PercentSteps())
    steps = math.ceil(math.log(truth) / math.log(1.01))
    assert asked == 1 + steps + math.ceil(math.log2(0.01 * 1.01 ** (steps - 1) / TOLERANCE))
    assert at.outer[0] == pytest.approx(truth, abs=TOLERANCE)


def test_steps_that_double_need_few_questions_from_a_guess_of_unknown_precision():
    rays = Ray(np.zeros((1, D), np.float32), directions()[:1], 1.0, FREE)
    for off in (1e-5, 1e-3, 1e-1, 2.0):
        _, asked = found(rays, lambda z, off=off: np.linalg.norm(z, axis=1) >= 1 + off, DoublingSteps(1e-4), np.inf)
        assert asked <= 2 + 1 + max(1, math.ceil(math.log2(off / 1e-4 + 1)))


def test_what_is_measured_is_the_clipped_ray():
    """Half of the way lies beyond the box: x + lambda theta is (1, lambda sin) from lambda = 1 / cos on."""
    angle, box = math.pi / 6, Box(np.zeros((), np.float32), np.ones((), np.float32))
    theta = np.array([[math.cos(angle), math.sin(angle)]])
    rays = Ray(np.array([[0.5, 0.0]], np.float32), theta, 1.0, Threat(box=box))
    at, _ = found(rays, lambda z: z[:, 1] >= 0.8, DoublingSteps(1e-3))
    assert at.outer[0] == pytest.approx(1.6, abs=TOLERANCE)
    np.testing.assert_allclose(rays.at(at.outer)[0], [1.0, 0.8], atol=TOLERANCE)
