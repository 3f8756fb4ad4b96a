"""Subspaces of directions: smooth images, coarse grids, and the span of samples."""

import numpy as np
import pytest
import torch

from algorithms.errors import Refused
from algorithms.searches.directions.bilinear import Bilinear, resizing
from algorithms.searches.directions.low_frequencies import LowFrequencies, cosines
from algorithms.searches.directions.spanning import part, spanning_basis

SHAPE = (3, 6, 8)
D = 3 * 6 * 8
LAYOUTS = pytest.mark.parametrize("shape", [(3, 6, 8), (6, 8, 3), (6, 8), (48,), (1, 1, 48), (5,)], ids=str)


def samples(n: int) -> np.ndarray:
    return np.random.default_rng(0).uniform(size=(n, *SHAPE)).astype(np.float32)


def drawn_by(law, m: int, shape: tuple[int, ...]) -> np.ndarray:
    out = np.empty((m, *shape), np.float32)
    law.draw(np.random.default_rng(0), out)
    return out


@LAYOUTS
@pytest.mark.parametrize("kind", ["dct", "bilinear"])
def test_low_frequencies_and_coarse_grids_are_smooth_on_any_layout(kind, shape):
    law = LowFrequencies.of(shape, 0.25) if kind == "dct" else Bilinear.of(shape, 2)
    drawn = drawn_by(law, 50, shape)
    axis = 1 + int(np.argmax(shape))  # width, or the only axis: neighbors differ little there
    steps = np.square(np.diff(drawn, axis=axis)).mean()
    assert steps < 0.5 * np.square(drawn).mean()


def test_all_frequencies_are_all_directions():
    np.testing.assert_allclose(cosines(7, 1.0) @ cosines(7, 1.0).T, np.eye(7), atol=1e-6)
    assert len(cosines(7, 0.01)) == 1, "at least the mean is left"


@pytest.mark.parametrize(("n", "grid"), [(7, 2), (7, 3), (7, 7), (28, 14), (9, 1), (1, 1), (224, 32)], ids=str)
def test_a_grid_is_resized_as_torch_resizes_it_with_aligned_corners(n, grid):
    points = torch.eye(grid, dtype=torch.float64)[:, None]  # each point of the grid alone
    resized = torch.nn.functional.interpolate(points, size=n, mode="linear", align_corners=True)[:, 0]
    np.testing.assert_allclose(resizing(n, grid), resized.numpy(), atol=1e-6)


def test_an_offset_is_a_grid_of_normal_numbers_resized_bilinearly_and_scaled_to_length_1():
    grids = np.random.default_rng(0).standard_normal((4, 3, 3, 3), dtype=np.float32)
    resized = torch.nn.functional.interpolate(
        torch.from_numpy(grids), size=SHAPE[1:], mode="bilinear", align_corners=True
    ).numpy()
    resized /= np.linalg.norm(resized.reshape(4, -1), axis=1)[:, None, None, None]
    np.testing.assert_allclose(drawn_by(Bilinear.of(SHAPE, 3), 4, SHAPE), resized, atol=1e-6)


@pytest.mark.parametrize(("side", "points"), [(28, 14), (224, 32), (9, 4), (1, 1)])
def test_a_grid_is_half_as_fine_as_the_image_and_at_most_32_points_wide(side, points):
    assert resizing(side, None).shape == (points, side)


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


def test_the_top_holds_more_of_the_samples_than_any_other_part_and_the_bottom_less():
    x = samples(30).reshape(30, -1)
    basis = spanning_basis(samples(30))
    strengths = np.linalg.svd(x.astype(np.float64), compute_uv=False)
    for subspace, kept in (("top", strengths[:7]), ("bottom", strengths[-7:])):
        held = np.linalg.norm(x @ part(basis, subspace, 7).T)
        assert held == pytest.approx(np.linalg.norm(kept), rel=1e-4)


def test_a_part_as_large_as_the_span_is_the_span():
    basis = spanning_basis(samples(4))
    np.testing.assert_array_equal(part(basis, "bottom", 4), basis)


def test_samples_that_span_less_than_is_asked_for_are_refused_with_what_they_span():
    x = samples(4)
    with pytest.raises(Refused, match="span 4 dimensions, and 5 are asked for: set rank to 4"):
        spanning_basis(np.concatenate([x, 2 * x]), least=5)
