"""Laws of directions: of length 1, in the space they promise, and alike in all of it, or at least even."""

import numpy as np
import pytest

from algorithms.artifacts.autoencoder import Autoencoder
from algorithms.artifacts.decoding import TrainedDecoder
from algorithms.mathematics.norms import Norm
from algorithms.searches.directions.bilinear import Bilinear, resizing
from algorithms.searches.directions.decoded import Decoded
from algorithms.searches.directions.full import Full
from algorithms.searches.directions.low_frequencies import LowFrequencies, cosines
from algorithms.searches.directions.spanning import Spanning, part, spanning_basis

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


def orthonormal(spanned: np.ndarray) -> np.ndarray:
    return np.linalg.qr(spanned.T.astype(np.float64))[0].T


ALL = spanning_basis(samples(10))
LAWS = {
    "full-l2": (Full(Norm.L2), np.eye(D)),
    "full-linf": (Full(Norm.LINF), np.eye(D)),
    "dct": (
        LowFrequencies.of(SHAPE, 0.5),
        np.kron(np.eye(3), np.kron(cosines(6, 0.5), cosines(8, 0.5))),
    ),
    "spanning": (Spanning(ALL), ALL),
    "spanning-top": (Spanning(part(ALL, "top", 4)), ALL[:4]),
    "spanning-bottom": (Spanning(part(ALL, "bottom", 4)), ALL[6:]),
}
LAYERS = Autoencoder.of(SHAPE, 1)  # of 3 x 3 x 4 numbers, which decode to what no smaller space holds
DECODER = {name: rng().standard_normal(size, dtype=np.float32) for name, size in LAYERS.decoder.items()}
EVEN = {
    "decoder": (Decoded(TrainedDecoder(LAYERS, DECODER)), np.eye(D)),
    "bilinear": (Bilinear.of(SHAPE, 3), orthonormal(np.kron(np.eye(3), np.kron(resizing(6, 3), resizing(8, 3))))),
}
WHOLE = {
    "dct": LowFrequencies.of(SHAPE, 1.0),
    "bilinear": Bilinear.of(SHAPE, 8),
    "spanning": Spanning(spanning_basis(samples(2 * D))),
}
isotropic = pytest.mark.parametrize(("law", "basis"), LAWS.values(), ids=LAWS.keys())
laws = pytest.mark.parametrize(("law", "basis"), (LAWS | EVEN).values(), ids=(LAWS | EVEN).keys())


@laws
def test_a_direction_has_length_1(law, basis):
    drawn = drawn_by(law, 20)
    np.testing.assert_allclose(np.linalg.norm(drawn.reshape(20, -1), axis=1), 1, rtol=1e-5)


@laws
def test_a_direction_lies_in_its_space(law, basis):
    drawn = drawn_by(law, 20).reshape(20, -1).astype(np.float64)
    np.testing.assert_allclose(drawn @ basis.T @ basis, drawn, atol=1e-6)


@isotropic
def test_no_direction_of_the_space_is_preferred(law, basis):
    """E u u^T = I / r within the space: 5 sigma of 20 000 draws; an entry errs with probability 6e-7."""
    n, r = 20_000, len(basis)
    coordinates = drawn_by(law, n).reshape(n, -1).astype(np.float64) @ basis.T
    assert np.abs(coordinates.T @ coordinates / n - np.eye(r) / r).max() < 5 * 1.5 / (r * np.sqrt(n))


@laws
def test_a_direction_is_as_likely_as_its_opposite(law, basis):
    """5 sigma of 20 000 draws: an entry errs with probability 6e-7."""
    n = 20_000
    coordinates = drawn_by(law, n).reshape(n, -1).astype(np.float64) @ basis.T
    assert np.abs(coordinates.mean(axis=0)).max() < 5 * coordinates.std(axis=0).max() / np.sqrt(n)
    assert np.abs((coordinates**3).mean(axis=0)).max() < 5 * (coordinates**3).std(axis=0).max() / np.sqrt(n)


@pytest.mark.parametrize("law", WHOLE.values(), ids=WHOLE.keys())
def test_a_space_of_all_dimensions_is_drawn_from_as_the_full_one_is(law):
    """Second moments, 5 sigma: E u u^T = I / d."""
    n = 20_000
    drawn = drawn_by(law, n).reshape(n, -1).astype(np.float64)
    assert np.abs(drawn.T @ drawn / n - np.eye(D) / D).max() < 5 * 1.5 / (D * np.sqrt(n))


@laws
def test_the_same_generator_draws_the_same(law, basis):
    np.testing.assert_array_equal(drawn_by(law, 5), drawn_by(law, 5))


@pytest.mark.parametrize("m", [1, 2, 5, 64])
@pytest.mark.parametrize("norm", [Norm.L2, Norm.LINF])
def test_directions_of_large_inputs_are_the_same_as_if_all_were_scaled_at_once(norm, m):
    d = 50_000
    normal, uniform = (draw((m, d), dtype=np.float32) for draw in (rng().standard_normal, rng().random))
    whole = normal if norm is Norm.L2 else 2 * uniform - 1
    square = np.einsum("ij,ij->i", whole, whole)
    whole *= (1 / np.sqrt(square))[:, None]
    np.testing.assert_array_equal(drawn_by(Full(norm), m, (d,)), whole)
