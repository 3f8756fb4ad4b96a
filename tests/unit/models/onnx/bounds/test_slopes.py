"""Slopes by windows: what they pick of a value, wherever the window lies."""

import pytest
import torch
from torch import Tensor

from models.onnx.bounds.linear.slopes import Slopes
from models.onnx.bounds.relaxations.relaxed import LinearBounds

SHAPE = (3, 5, 6)
CORNERS = {
    "inside": [[0, 0], [1, 2], [3, 3]],
    "juts out": [[-1, 0], [4, 5], [1, -2]],
}


def windows(corners: list[list[int]]) -> Slopes:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Slopes(torch.rand(len(corners), 3, 2, 3, dtype=torch.float64), SHAPE, torch.tensor(corners))


def written_out(slopes: Slopes) -> Tensor:
    """Number by number."""
    assert slopes.corner is not None
    whole = torch.zeros(len(slopes.numbers), *SHAPE, dtype=torch.float64)
    for b, (down, right) in enumerate(slopes.corner.tolist()):
        for i in range(2):
            for j in range(3):
                if 0 <= down + i < 5 and 0 <= right + j < 6:
                    whole[b, :, down + i, right + j] = slopes.numbers[b, :, i, j]
    return whole


@pytest.mark.parametrize("corners", CORNERS.values(), ids=CORNERS)
def test_a_window_leans_on_the_numbers_that_it_covers_in_the_region_of_each_objective(corners: list[list[int]]) -> None:
    slopes = windows(corners).cropped()
    values = torch.rand(4, *SHAPE, dtype=torch.float64)
    for rows in (torch.tensor([0, 0, 0]), torch.tensor([3, 1, 2])):  # one after the other, of the same slopes
        found = (slopes.numbers * slopes.of(values, rows)).flatten(1).sum(1)
        expected = (written_out(slopes) * values[rows]).flatten(1).sum(1)
        torch.testing.assert_close(found, expected)
        torch.testing.assert_close(slopes.whole().of(values, rows), values[rows])
    for_all = (slopes.numbers * slopes.of(values[:1])).flatten(1).sum(1)
    torch.testing.assert_close(for_all, (written_out(slopes) * values[:1]).flatten(1).sum(1))


@pytest.mark.parametrize("corners", CORNERS.values(), ids=CORNERS)
def test_what_juts_out_is_cut_off(corners: list[list[int]]) -> None:
    slopes = windows(corners)
    torch.testing.assert_close(slopes.cropped().whole().numbers, written_out(slopes), rtol=0, atol=0)


def test_a_value_that_is_one_number_everywhere_is_that_number() -> None:
    level = torch.tensor(2.5, dtype=torch.float64).expand(4, *SHAPE)
    rows = torch.tensor([0, 3, 1])
    for slopes in (windows(CORNERS["juts out"]), windows(CORNERS["inside"]).whole()):
        assert slopes.of(level, rows).item() == 2.5


def test_other_numbers_at_the_same_window_lean_on_the_same() -> None:
    slopes = windows(CORNERS["inside"])
    values, rows = torch.rand(4, *SHAPE, dtype=torch.float64), torch.tensor([2, 0, 1])
    picked = slopes.of(values, rows)
    torch.testing.assert_close(slopes.times(torch.tensor([1.0, -2.0, 3.0])).of(values, rows), picked, rtol=0, atol=0)
    torch.testing.assert_close(slopes.with_numbers(-slopes.numbers).of(values, rows), picked, rtol=0, atol=0)


@pytest.mark.parametrize("count", [9, 33, 64])
def test_many_objectives_are_worked_in_parts_with_the_bits_of_all_at_once(count: int) -> None:
    with torch.random.fork_rng():
        torch.manual_seed(1)
        shape, rows = (4, 128, 128), torch.randint(0, 3, (count,))
        slopes = Slopes(torch.randn(count, *shape, dtype=torch.float64), shape)
        low, base, high, top = torch.randn(4, 3, *shape, dtype=torch.float64)
    assert all(len(part.numbers) > 1 for part, _ in slopes.parts(rows))
    assert len(list(slopes.parts(rows))) > 1
    rising, falling = slopes.numbers.clamp(min=0), slopes.numbers.clamp(max=0)
    (found,), constant = LinearBounds((low,), base, (high,), top).backward(slopes, rows)
    assert torch.equal(found.numbers, rising * low[rows] + falling * high[rows])
    assert torch.equal(constant, (rising * base[rows] + falling * top[rows]).flatten(1).sum(1))


def test_windows_are_worked_at_once() -> None:
    slopes, rows = windows(CORNERS["inside"]), torch.tensor([0, 1, 2])
    ((whole, every),) = slopes.parts(rows)
    assert whole is slopes and every is rows
