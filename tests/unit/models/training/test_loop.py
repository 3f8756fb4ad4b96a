"""The training loop: it makes losses small, and is the same however often it is put away and taken up again."""

import numpy as np
import pytest
import torch

from algorithms.artifacts.training import STEPS, state
from algorithms.artifacts.wish import check
from algorithms.mathematics.streams import Stream
from models.training.loop import Course, begin, train

TRUTH = np.array([[2.0, -1.0, 0.5]], np.float32)
X = torch.from_numpy(np.random.default_rng(0).standard_normal((30, 3)).astype(np.float32))
Y = X @ torch.from_numpy(TRUTH).T
COURSE = Course(rows=30, batch=7, steps=600, rate=0.05, stream=Stream(3, 0, "test"))
START = {"slope": np.zeros((1, 3), np.float32), "offset": np.ones(1, np.float32)}


def loss(weights, rows):
    return torch.nn.functional.mse_loss(X[rows] @ weights["slope"].T + weights["offset"], Y[rows])


def never(_share):
    return False


def in_pieces(steps):
    """So many steps, then put away as arrays, and so on."""
    found, taken = begin(START), 0

    def over(_share):
        nonlocal taken
        taken += 1
        return taken % (steps + 1) == 0

    while found[STEPS] < COURSE.steps:
        found = {name: array.copy() for name, array in train(found, loss, COURSE, over).items()}
    return found


def test_it_finds_a_linear_map():
    found = train(begin(START), loss, COURSE, never)
    np.testing.assert_allclose(found["slope"], TRUTH, atol=1e-3)
    np.testing.assert_allclose(found["offset"], 0, atol=1e-3)


@pytest.mark.parametrize("steps", [1, 7, 250])
def test_however_it_is_cut_the_bits_are_the_same(steps):
    whole = train(begin(START), loss, COURSE, never)
    pieces = in_pieces(steps)
    assert whole.keys() == pieces.keys()
    for name, array in whole.items():
        np.testing.assert_array_equal(pieces[name], array, strict=True)


def test_its_state_is_what_is_declared():
    declared = state({name: array.shape for name, array in START.items()})
    check(begin(START), declared)
    check(train(begin(START), loss, COURSE, never), declared)


def test_the_state_it_begins_with_is_left_as_it_was():
    start = begin(START)
    train(start, loss, COURSE, never)
    assert not any(start[f"first.{name}"].any() for name in START)
    np.testing.assert_array_equal(start["offset"], 1)


def test_its_steps_are_those_of_torch():
    weights = {name: torch.tensor(array, requires_grad=True) for name, array in START.items()}
    adam = torch.optim.Adam(weights.values(), lr=COURSE.rate)
    for step in range(50):
        adam.param_groups[0]["lr"] = COURSE.rate_at(step)
        adam.zero_grad()
        loss(weights, COURSE.rows_of(step)).backward()
        adam.step()
    found = train(begin(START), loss, COURSE, lambda share: share >= 50 / COURSE.steps)
    assert found[STEPS] == 50
    for name, weight in weights.items():
        np.testing.assert_allclose(found[name], weight.detach(), rtol=1e-4, atol=1e-6)


def test_an_epoch_meets_each_row_once_at_most_and_the_next_in_another_order():
    first, second = ([COURSE.rows_of(4 * epoch + i).tolist() for i in range(4)] for epoch in (0, 1))
    for epoch in (first, second):
        assert len({row for batch in epoch for row in batch}) == 28
    assert first != second


def test_fewer_rows_than_a_batch_are_one_batch():
    course = Course(rows=5, batch=7, steps=9, rate=0.1, stream=Stream(0, 0, "test"))
    assert sorted(course.rows_of(8).tolist()) == [0, 1, 2, 3, 4]
