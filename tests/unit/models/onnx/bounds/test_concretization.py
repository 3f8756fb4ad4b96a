"""The least of a linear function over a ball within a box, against another solver, and the pieces it is made of."""

import numpy as np
import pytest
import torch

from algorithms.mathematics.norms import NORMS, Norm
from algorithms.threats.threat import Box
from models.onnx.bounds.linear.concretization import Balls
from models.onnx.bounds.linear.slopes import Slopes
from tests.balls import least_change

D = 12


def balls(x: np.ndarray, radii: list[float], norm: Norm, box: Box) -> Balls:
    rows = torch.tensor(x, dtype=torch.float64)
    lower, upper = (torch.tensor(side, dtype=torch.float64) for side in (box.lower, box.upper))
    return Balls(rows, rows - lower, upper - rows, torch.tensor(radii, dtype=torch.float64), norm)


BOXES = {
    "unit box": Box(np.zeros(D, np.float32), np.ones(D, np.float32)),
    "no box": Box.unbounded(),
    "half a box": Box(np.zeros(D, np.float32), np.full(D, np.inf, np.float32)),
}


@pytest.mark.parametrize("radius", [0.0, 0.01, 0.3, 1.0, 50.0])
@pytest.mark.parametrize("box", BOXES.values(), ids=BOXES)
@pytest.mark.parametrize("norm", NORMS)
def test_the_least_value_is_exact(norm: Norm, box: Box, radius: float) -> None:
    rng = np.random.default_rng(4)
    x = rng.random((3, D)).astype(np.float32)
    x[0, :6], x[1, :3] = 0.0, 1.0  # on the box's sides
    a = rng.normal(size=(6, D))
    a[2, 4:], a[3], a[4, ::2] = 0.0, 0.0, a[4, 1::2]  # flat directions, none at all, equal slopes
    rows = torch.tensor([0, 1, 2, 0, 1, 2])
    found = balls(x, [radius] * 3, norm, box).least(Slopes(torch.tensor(a), (D,)), rows)
    for slopes, row, value in zip(a, rows, found, strict=True):
        center = x[int(row)].astype(np.float64)
        truth = slopes @ center + least_change(slopes, center, radius, norm, box)
        assert float(value) == pytest.approx(truth, abs=1e-9)


def test_a_window_of_an_image_is_looked_up_where_it_lies() -> None:
    values = torch.arange(2 * 3 * 4 * 5, dtype=torch.float64).reshape(2, 3, 4, 5)
    window = Slopes(torch.ones(2, 3, 2, 2, dtype=torch.float64), (3, 4, 5), torch.tensor([[1, 2], [0, 3]]))
    found = window.of(values, torch.tensor([1, 0]))
    torch.testing.assert_close(found[0], values[1, :, 1:3, 2:4])
    torch.testing.assert_close(found[1], values[0, :, 0:2, 3:5])


def test_a_window_that_juts_out_keeps_only_what_lies_within() -> None:
    window = Slopes(torch.ones(1, 1, 2, 2, dtype=torch.float64), (1, 5, 5), torch.tensor([[-1, 4]])).cropped()
    whole = torch.zeros(1, 1, 5, 5, dtype=torch.float64)
    whole[0, 0, 0, 4] = 1
    torch.testing.assert_close(window.whole().numbers, whole)


def test_a_window_that_is_most_of_its_value_is_carried_whole() -> None:
    window = Slopes(torch.ones(1, 1, 4, 4, dtype=torch.float64), (1, 5, 5), torch.tensor([[0, 1]]))
    assert window.cropped().corner is None


@pytest.mark.parametrize("shape", [(7,), (3, 4), (2, 3, 4)])
def test_a_single_number_is_found_again(shape: tuple[int, ...]) -> None:
    count = int(np.prod(shape))
    found = Slopes.one_hot(torch.arange(count), shape).whole().numbers
    torch.testing.assert_close(found.reshape(count, count), torch.eye(count, dtype=torch.float64))
