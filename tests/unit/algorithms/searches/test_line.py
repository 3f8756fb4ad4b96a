"""Lines and halving, on a half-space and a ball, where it is known how far the adversarial part of a line reaches."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from algorithms.mathematics.geometry import distance
from algorithms.mathematics.norms import Norm
from algorithms.searches.labels.line import GrowingCube, Segment, connect, halve, within
from algorithms.threats.threat import Box, Threat

X = np.full((2, 3), 0.4, np.float32)
FAR = np.linspace(0, 1, 6, dtype=np.float32).reshape(2, 3)
norms = pytest.mark.parametrize("norm", [Norm.L2, Norm.LINF])
Truth = Callable[[NDArray[np.float32]], NDArray[np.bool_]]


def half_space(rows: NDArray[np.float32]) -> NDArray[np.bool_]:
    """The sum of a row is above 2.7: from X (2.4) towards FAR (3.0) from half of a segment on."""
    return rows.reshape(-1, 6).astype(np.float64).sum(axis=1) > 2.7


def outside_a_ball(rows: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Farther than 0.3 from X in l2."""
    return np.linalg.norm(rows.reshape(-1, 6).astype(np.float64) - X.ravel(), axis=1) > 0.3


def halved(line: Segment | GrowingCube, truth: Truth, **how: object) -> tuple[object, list[NDArray[np.float32]]]:
    """The shares that `halve` returns, and every point it asked for."""
    asked = []

    def ask(points: NDArray[np.float32]):
        asked.append(points)
        return (yield "a question")

    conversation = halve(line, ask, **how)
    try:
        next(conversation)
        while True:
            wins = truth(np.asarray(asked[-1]))
            conversation.send(wins if how.get("lines") else bool(wins[0]))
    except StopIteration as end:
        return end.value, asked


@norms
def test_a_line_leads_from_the_sample_to_its_far_end_at_even_pace(norm):
    line = connect(X, FAR, Threat(norm=norm))
    np.testing.assert_array_equal(line.at(0.0), X)
    np.testing.assert_array_equal(line.at(1.0), FAR)
    away = [distance(line.at(share), X, norm) for share in np.linspace(0, 1, 9)]
    np.testing.assert_allclose(away, np.linspace(0, 1, 9) * line.length, rtol=1e-5, atol=1e-7)


@norms
def test_a_line_is_left_at_the_radius_that_is_asked_for(norm):
    line = connect(X, FAR, Threat(norm=norm))
    assert distance(within(line, 0.2), X, norm) == pytest.approx(0.2, rel=1e-5)
    np.testing.assert_array_equal(within(line, np.inf), FAR)
    np.testing.assert_array_equal(within(connect(X, X, Threat(norm=norm)), 0.0), X)


def test_a_segment_stays_in_the_box_though_its_far_end_lies_outside():
    box = Box(np.float32(0.2) * np.ones((), np.float32), np.linspace(0.4, 0.9, 6, dtype=np.float32).reshape(2, 3))
    for line in (Segment(X, FAR, Threat(box=box)), GrowingCube(X, FAR, Threat(norm=Norm.LINF, box=box))):
        assert all(box.contains(line.at(share)[None]).all() for share in np.linspace(0, 0.99, 9))


@pytest.mark.parametrize(
    ("truth", "share"),
    [(half_space, 0.5), (outside_a_ball, 0.3 / distance(FAR, X, Norm.L2))],
    ids=["half-space", "ball"],
)
@pytest.mark.parametrize("halvings", [1, 6, 20])
def test_halving_ends_just_behind_the_boundary(truth, share, halvings):
    segment = Segment(X, FAR, Threat(), precision=np.float64)
    found, asked = halved(segment, truth, halvings=halvings)
    assert len(asked) == halvings
    assert share - 1e-6 <= found <= share + 0.5**halvings + 1e-6
    assert found == 1 or truth(segment.at(found)).all()


def test_many_lines_are_halved_in_step_as_each_would_be_alone():
    rng = np.random.default_rng(0)
    x = X + rng.uniform(-0.02, 0.02, (5, 2, 3)).astype(np.float32)
    far = np.clip(FAR + rng.uniform(0, 0.3, (5, 2, 3)), 0, 1).astype(np.float32)
    together, _ = halved(Segment(x, far, Threat()), half_space, halvings=9, lines=5)
    alone = [halved(Segment(x[i], far[i], Threat()), half_space, halvings=9)[0] for i in range(5)]
    np.testing.assert_array_equal(together, alone)
    assert len(set(alone)) > 1


def test_lines_of_torch_are_halved_as_those_of_numpy():
    box = Box(torch.zeros(()), torch.ones(()))
    plain = Segment(X[None], FAR[None], Threat(), precision=np.float64)
    tensors = Segment(torch.from_numpy(X)[None], torch.from_numpy(FAR)[None], Threat(box=box), precision=np.float64)
    here, there = (halved(line, outside_a_ball, halvings=9, lines=1) for line in (plain, tensors))
    np.testing.assert_array_equal(here[0], there[0])
    for ours, theirs in zip(here[1], there[1], strict=True):
        np.testing.assert_array_equal(ours, theirs.numpy())


@pytest.mark.parametrize(("precision", "questions"), [(0.0, 12), (0.1, 4), (0.125, 3), (1.0, 0)])
def test_halving_ends_at_the_precision_asked_for(precision, questions):
    _, asked = halved(Segment(X, FAR, Threat()), half_space, halvings=12, precision=precision)
    assert len(asked) == questions


def test_halving_may_end_where_float32_tells_points_no_longer_apart():
    near = np.nextafter(X, np.float32(1))
    for way in (Segment(X, near, Threat()), GrowingCube(X, near, Threat(norm=Norm.LINF))):
        assert halved(way, half_space, halvings=30, ends_at_rounding=True) == (1.0, [])
        assert len(halved(way, half_space, halvings=30)[1]) == 30
