"""Directions: of length 1, in the space they promise, and alike in all of it."""

import numpy as np
import pytest

from algorithms.errors import Refused
from algorithms.mathematics.norms import Norm
from algorithms.searches.labels.directions import Full, LowFrequencies, Spanning, cosines, spanning_basis

SHAPE = (3, 6, 8)
D = 3 * 6 * 8


def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def drawn_by(law, m: int, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    out = np.empty((m, *shape), np.float32)
    law.draw(rng(), out)
    return out


def samples(n: int, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    return rng().uniform(size=(n, *shape)).astype(np.float32)


LAWS = {
    "full-l2": (Full(Norm.L2), np.eye(D)),
    "full-linf": (Full(Norm.LINF), np.eye(D)),
    "dct": (
        LowFrequencies.of(SHAPE, 0.5),
        np.kron(np.eye(3), np.kron(cosines(6, 0.5), cosines(8, 0.5))),
    ),
    "spanning": (Spanning(spanning_basis(samples(10))), spanning_basis(samples(10))),
}
laws = pytest.mark.parametrize(("law", "basis"), LAWS.values(), ids=LAWS.keys())


@laws
def test_a_direction_has_length_1(law, basis):
    drawn = drawn_by(law, 20)
    np.testing.assert_allclose(np.linalg.norm(drawn.reshape(20, -1), axis=1), 1, rtol=1e-5)


@laws
def test_a_direction_lies_in_its_space(law, basis):
    drawn = drawn_by(law, 20).reshape(20, -1).astype(np.float64)
    np.testing.assert_allclose(drawn @ basis.T @ basis, drawn, atol=1e-6)


@laws
def test_no_direction_of_the_space_is_preferred(law, basis):
    """E u u^T = I / r within the space: 5 sigma of 20 000 draws; an entry errs with probability 6e-7."""
    n, r = 20_000, len(basis)
    coordinates = drawn_by(law, n).reshape(n, -1).astype(np.float64) @ basis.T
    assert np.abs(coordinates.T @ coordinates / n - np.eye(r) / r).max() < 5 * 1.5 / (r * np.sqrt(n))


@laws
def test_the_same_generator_draws_the_same(law, basis):
    np.testing.assert_array_equal(drawn_by(law, 5), drawn_by(law, 5))


@pytest.mark.parametrize("shape", [(3, 6, 8), (6, 8, 3), (6, 8), (48,), (1, 1, 48), (5,)], ids=str)
def test_low_frequencies_are_smooth_on_any_layout(shape):
    drawn = drawn_by(LowFrequencies.of(shape, 0.25), 50, shape)
    axis = 1 + int(np.argmax(shape))  # width, or the only axis: neighbors differ little there
    steps = np.square(np.diff(drawn, axis=axis)).mean()
    assert steps < 0.5 * np.square(drawn).mean()


def test_all_frequencies_are_all_directions():
    np.testing.assert_allclose(cosines(7, 1.0) @ cosines(7, 1.0).T, np.eye(7), atol=1e-6)
    assert len(cosines(7, 0.01)) == 1, "at least the mean is left"


@pytest.mark.parametrize(("n", "rank"), [(1, 1), (10, 10), (D, D), (3 * D, D)], ids=str)
def test_a_spanning_basis_is_orthonormal_and_spans_the_samples(n, rank):
    x = samples(n)
    basis = spanning_basis(x).astype(np.float64)
    assert basis.shape == (rank, D)
    np.testing.assert_allclose(basis @ basis.T, np.eye(rank), atol=1e-5)
    flat = x.reshape(n, -1)
    np.testing.assert_allclose(flat @ basis.T @ basis, flat, atol=1e-4)


def test_samples_that_depend_on_each_other_span_no_more_than_they_do():
    x = samples(4)
    assert len(spanning_basis(np.concatenate([x, 2 * x, x[:1] + x[1:2]]))) == 4


def test_the_strongest_direction_comes_first():
    x = samples(30)
    flat = x.reshape(30, -1)
    strength = np.linalg.norm(flat @ spanning_basis(x).T, axis=0)
    assert (np.diff(strength) <= 1e-4).all()


def test_samples_of_zeros_span_nothing():
    with pytest.raises(Refused, match="all zero"):
        spanning_basis(np.zeros((3, *SHAPE), np.float32))


@pytest.mark.parametrize("m", [1, 2, 5, 64])
@pytest.mark.parametrize("norm", [Norm.L2, Norm.LINF])
def test_directions_of_large_inputs_are_the_same_as_if_all_were_scaled_at_once(norm, m):
    d = 50_000
    normal, uniform = (draw((m, d), dtype=np.float32) for draw in (rng().standard_normal, rng().random))
    whole = normal if norm is Norm.L2 else 2 * uniform - 1
    square = np.einsum("ij,ij->i", whole, whole)
    whole *= (1 / np.sqrt(square))[:, None]
    np.testing.assert_array_equal(drawn_by(Full(norm), m, (d,)), whole)
