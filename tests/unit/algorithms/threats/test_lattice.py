"""Values that features are cut to: which they are, what lies nearest, towards a sample, and within a ball."""

import numpy as np
import pytest

from algorithms.mathematics.norms import NORMS, Counting, Norm
from algorithms.threats.lattice import Lattice
from algorithms.threats.threat import Box, Threat

BYTES = Lattice(256)
UNIT = (np.float32(0), np.float32(1))
RNG = np.random.default_rng(3)
UNEVEN = (np.array([-1.0, 0.0, 5.0], np.float32), np.array([1.0, 0.1, 5.0], np.float32))
norms = pytest.mark.parametrize("norm", NORMS)


def on(shape: tuple[int, ...], levels: int = 256) -> np.ndarray:
    return Lattice(levels).nearest(RNG.random(shape), UNIT)


def threat(norm: Norm | Counting = Norm.L2, levels: int = 256, **given: object) -> Threat:
    return Threat(norm=norm, lattice=Lattice(levels), **given)  # type: ignore[arg-type]


def test_256_levels_of_a_unit_box_are_the_bytes_however_they_were_divided():
    k = np.arange(256, dtype=np.uint8)
    for values in (k.astype(np.float32) / 255, (k / 255.0).astype(np.float32), np.float32(k) * np.float32(1 / 255)):
        assert BYTES.holds(values, UNIT).all()
        np.testing.assert_array_equal(BYTES.away(values, 0 * values, UNIT), k / 255)
    np.testing.assert_array_equal(BYTES.nearest(k / 255.0, UNIT), k.astype(np.float32) / 255)
    assert not BYTES.holds(np.float32([0.5, 1e-4, 0.9999]), UNIT).any()


def test_each_feature_has_the_values_of_its_own_ends_and_one_without_room_has_one():
    rows = np.array([[0.4, 0.06, 5.0], [-3.0, 0.012, 7.0]])
    np.testing.assert_allclose(Lattice(3).nearest(rows, UNEVEN), [[0.0, 0.05, 5.0], [-1.0, 0.0, 5.0]])
    np.testing.assert_allclose(Lattice(3).step(UNEVEN), [1.0, 0.05, 0.0])
    assert Lattice(3).holds(np.float32([0.0, 0.05, 5.0]), UNEVEN).all()


def test_a_clipped_row_is_the_nearest_value_and_stays_one():
    rows = RNG.uniform(-0.5, 1.5, (50, 2, 3))
    clipped = threat().clip(rows, rows[0])
    by_hand = (np.arange(256) / 255).astype(np.float32)
    nearest = by_hand[np.abs(rows[..., None] - by_hand).argmin(axis=-1)]
    np.testing.assert_array_equal(clipped, nearest)
    np.testing.assert_array_equal(threat().clip(clipped, rows[0]), clipped)
    here = rows.astype(np.float32)
    assert threat().clip(here, rows[0], out=here) is here
    np.testing.assert_array_equal(here, threat().clip(rows.astype(np.float32), rows[0]))


def test_only_values_are_allowed():
    x = on((3,))
    assert threat().allows(x, x)
    assert not threat().allows(x + np.float32(0.4 / 255), x)
    assert not threat().allows(np.full(3, 2.0, np.float32), x), "outside of the box"


@norms
@pytest.mark.parametrize("levels", [5, 256, 65_536])
def test_what_is_projected_lies_within_the_radius_and_on_the_lattice(norm, levels):
    x, rows = on((40, 12), levels), RNG.uniform(-0.5, 1.5, (40, 12)).astype(np.float32)
    radius = RNG.uniform(0, 2, 40)
    near = threat(norm, levels).project(rows, x, radius)
    assert Lattice(levels).holds(near, UNIT).all()
    away = [threat(norm, levels).distance(y, z) for y, z in zip(near, x, strict=True)]
    assert (np.array(away) <= radius + 0.2 / levels).all()


@pytest.mark.parametrize("steps", [1, 8, 16])
def test_a_radius_of_whole_steps_reaches_so_many_and_no_more(steps):
    """8 / 255 in float32 is now more, now less than eight steps of float32 values: rounding costs no step."""
    x = on((1000,))
    low, high = threat(Norm.LINF).hull(x, np.float32(steps / 255))
    level = np.rint(x * 255)
    np.testing.assert_array_equal(np.rint(high * 255), np.minimum(level + steps, 255))
    np.testing.assert_array_equal(np.rint(low * 255), np.maximum(level - steps, 0))
    assert threat(Norm.LINF).distance(high, x) == steps / 255 == threat(Norm.LINF).distance(low, x)
    below, above = threat(Norm.LINF).hull(x, np.float32((steps + 0.9) / 255))
    np.testing.assert_array_equal((below, above), (low, high))


def test_a_count_counts_no_rounding():
    x = (np.arange(256, dtype=np.float32) * np.float32(1 / 255))[:250]
    y = BYTES.nearest(x, UNIT)
    assert (x != y).any() and threat(Counting.L0).distance(y, x) == 0
    y[:3] = 1.0
    assert threat(Counting.L0).distance(y, x) == 3


def test_random_changes_of_a_count_are_values():
    rows = threat(Counting.L0).draw_changed(np.random.default_rng(0), 20, on((4, 4)), count=5)
    assert BYTES.holds(rows, UNIT).all()


def test_a_threat_laid_out_otherwise_has_the_same_lattice():
    box = Box(np.zeros((2, 3), np.float32), np.ones((2, 3), np.float32))
    flat = threat(box=box).arranged(lambda side: side.reshape(1, -1))
    rows = RNG.random((5, 6))
    np.testing.assert_array_equal(
        flat.clip(rows, rows), threat(box=box).clip(rows.reshape(5, 2, 3), rows.reshape(5, 2, 3)).reshape(5, 6)
    )


def test_values_that_float32_cannot_tell_apart_are_known():
    assert Lattice(65_536).is_told_apart(UNIT)
    assert Lattice(256).is_told_apart((np.float32(1000), np.float32(1001)))
    assert not Lattice(65_536).is_told_apart((np.float32(1000), np.float32(1001)))
