"""The walk along a boundary, on half-spaces and a ball: what it keeps, where it begins again, when it ends."""

import numpy as np
import pytest

from algorithms.mathematics.norms import Norm
from algorithms.mathematics.streams import Stream
from algorithms.seam.case import Case
from algorithms.seam.claims import UpperBound
from algorithms.seam.questions.cloud import AskCloud
from algorithms.searches.directions.full import Full
from algorithms.searches.labels.arc import Arc, sideways
from algorithms.searches.labels.boundary_walk import BoundaryWalk
from algorithms.threats.threat import Box, Threat

D = 20
X = np.zeros(D, np.float32)
W = np.random.default_rng(0).normal(size=D)
W /= np.linalg.norm(W)


def walking(norm=Norm.L2, pool=None, **threat):
    case = Case(X, 0, None, None, 2, Stream(3, 0, "test"), pool=pool)
    return BoundaryWalk(case, Threat(norm=norm, box=Box.unbounded(), **threat), [Full(norm)], theta=1e-6)


def half_space(rows):
    """Class 1 from 0.5 on, in l2."""
    return (rows.astype(np.float64) @ W > 0.5).astype(np.int64)


def followed(walk, advance, model, iterations=6, **how):
    """What the walk claims, and what it had asked of the model when it came to its end."""
    claims, rows, conversation, answer = [], 0, walk.along(advance, iterations=iterations, **how), None
    try:
        while True:
            said = conversation.send(answer)
            answer = None
            if isinstance(said, UpperBound):
                claims.append(said.x_adv)
            elif isinstance(said, AskCloud):
                answer, rows = said.reduction(), rows + said.cloud.n
                for points in said.cloud.blocks():
                    answer.feed(points, model(points))
            else:
                answer, rows = model(said.rows), rows + len(said.rows)
    except StopIteration:
        return claims, rows


def staying(_):
    """No advance at all."""
    return
    yield


@pytest.mark.parametrize("norm", [Norm.L2, Norm.LINF])
def test_settling_ends_on_the_boundary_and_shows_a_point_a_little_behind_it(norm):
    walk = walking(norm)
    claims, _ = followed(walk, lambda _: walk.settle(walk.case.x + np.float32(3) * W.astype(np.float32)), half_space, 1)
    assert half_space(walk.point[None]) == [1]
    assert walk.point @ W == pytest.approx(0.5, rel=1e-4)
    assert claims[-1] @ W == pytest.approx(0.5 * (1 + 1e-3), rel=1e-4)
    if norm is Norm.L2:
        assert walk.distance == pytest.approx(0.5, rel=1e-4)


def test_a_turn_towards_the_normal_ends_in_the_nearest_point_of_a_half_space():
    walk = walking()

    def advance(_):
        towards = (walk.point - X)[None]
        yield from walk.follow(Arc(X, walk.point, sideways(towards, W[None], walk.threat)[0], walk.threat))

    claims, _ = followed(walk, advance, half_space, 1)
    np.testing.assert_allclose(walk.point, 0.5 * W, atol=1e-4)
    np.testing.assert_allclose(claims[-1], 0.5 * (1 + 1e-3) * W, atol=1e-4)


def test_the_estimate_on_a_ball_points_away_from_its_center():
    walk, center = walking(), X + np.float32(0.1)
    outside = lambda rows: (np.square(rows - center).sum(axis=1) > 1).astype(np.int64)  # noqa: E731
    seen = []

    def advance(_):
        seen.append((yield from walk.estimate(4000, 1e-3)))

    followed(walk, advance, outside, 1)
    outwards = (walk.point - center) / np.linalg.norm(walk.point - center)
    assert seen[0] @ outwards > 0.95


def test_the_nearest_of_all_is_shown_though_the_walk_goes_farther_away():
    walk, far = walking(), (5 * W + 4 * np.roll(W, 1)).astype(np.float32)

    def advance(k):
        yield from walk.settle((3 * W).astype(np.float32) if k == 1 else far)

    claims, _ = followed(walk, advance, half_space, 2)
    distances = [np.linalg.norm(claim) for claim in claims]
    assert walk.distance > 1.05 * walk.shown
    assert walk.shown == min(distances) == pytest.approx(0.5, rel=2e-3)
    assert distances[-1] == walk.shown, "nothing farther away is claimed after it"


def test_a_walk_at_rest_begins_again_and_draws_other_starts():
    walk, begun = walking(), []

    def advance(k):
        begun.append((k, walk.distance))
        return
        yield

    followed(walk, advance, half_space, 12)
    assert [k for k, _ in begun] == [1, 2, 3, 4, 5] * 2 + [1, 2]
    assert len({distance for _, distance in begun}) == 3


def test_it_stops_within_epsilon():
    walk = walking(epsilon=100.0)
    claims, rows = followed(walk, staying, half_space, 1000)
    assert len(claims) and rows < 300


@pytest.mark.parametrize("label", [0, 2], ids=["nowhere", "everywhere"])
def test_where_all_is_one_class_it_ends(label):
    """Nowhere adversarial: no start. Everywhere: down to the sample itself, as far as halving goes."""
    walk = walking()
    _, rows = followed(walk, staying, lambda rows: np.full(len(rows), label), 10)
    assert rows < 1000
    assert np.isfinite(walk.distance) == (label == 2)


def test_a_walk_at_rest_goes_on_by_the_next_law_from_where_it_stands_before_it_begins_again():
    walk, drawn = walking(), []
    walk.laws = [walk.law, Full(Norm.LINF)]

    def advance(k):
        drawn.append((k, walk.law.norm, walk.distance))
        return
        yield

    followed(walk, advance, half_space, 12)
    assert [k for k, _, _ in drawn] == [*range(1, 11), 1, 2]
    assert [norm for _, norm, _ in drawn] == [Norm.L2] * 5 + [Norm.LINF] * 5 + [Norm.L2] * 2
    assert len({distance for _, _, distance in drawn[:10]}) == 1


@pytest.mark.parametrize("ends_at_rest", [False, True])
def test_where_no_other_start_is_adversarial_a_walk_at_rest_goes_on_unless_it_is_to_end(ends_at_rest):
    """A small ball that noise does not hit: the one start is a sample of the upload, used up by the first walk."""
    center, stood = (3 * W).astype(np.float32), []
    walk = walking(pool=center[None])
    in_ball = lambda rows: (np.square(rows - center).sum(axis=1) < 0.5).astype(np.int64)  # noqa: E731

    def advance(k):
        stood.append((k, walk.distance))
        return
        yield

    followed(walk, advance, in_ball, 12, ends_at_rest=ends_at_rest)
    assert [k for k, _ in stood] == list(range(1, 6 if ends_at_rest else 13))
    assert len({distance for _, distance in stood}) == 1
