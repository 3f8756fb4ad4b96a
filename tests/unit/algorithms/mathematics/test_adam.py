"""Adam against torch's."""

import numpy as np
import torch

from algorithms.mathematics.adam import Adam


def test_it_goes_where_torchs_goes():
    w = torch.nn.Parameter(torch.tensor([[1.0, -2.0], [0.5, 3.0]]))
    theirs, ours = torch.optim.Adam([w], lr=0.1), Adam((2, 2))
    mine = w.detach().numpy().copy()
    for _ in range(20):
        theirs.zero_grad()
        (w**4).sum().backward()
        mine += np.float32(0.1) * ours.step(4 * mine**3)
        theirs.step()
    np.testing.assert_allclose(mine, w.detach().numpy(), rtol=1e-5)


def test_a_row_that_starts_again_goes_on_as_if_new():
    gradients = np.random.default_rng(0).normal(size=(5, 2, 2)).astype(np.float32)
    both, new = Adam((2, 2)), Adam((1, 2))
    for g in gradients[:2]:
        both.step(g)
    both.restart(np.array([1]))
    for g in gradients[2:]:
        np.testing.assert_array_equal(both.step(g)[[1]], new.step(g[[1]]))


def test_rows_that_stay_go_on_as_if_alone():
    gradients = np.random.default_rng(0).normal(size=(5, 3, 2)).astype(np.float32)
    both, one = Adam((3, 2)), Adam((1, 2))
    for g in gradients[:2]:
        both.step(g)
        one.step(g[[1]])
    both.keep(np.array([1]))
    for g in gradients[2:]:
        np.testing.assert_array_equal(both.step(g[[1]]), one.step(g[[1]]))


def test_gradients_whose_squares_pass_the_range_of_float32_are_stepped_along():
    steps = Adam((1, 2)).step(np.array([[1e25, -1e30]], np.float32))
    np.testing.assert_allclose(steps, [[-1, 1]], rtol=1e-6)
