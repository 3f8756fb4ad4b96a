"""A product of two values lies between its planes and within its interval, and its rounding within what is allowed."""

import numpy as np
import torch
from torch import Tensor

from models.onnx.bounds.relaxations.products import Product
from models.onnx.bounds.relaxations.relaxed import Intervals


def some(rng: np.random.Generator) -> Intervals:
    """(2000, 1) each: of all signs and widths, some of no width."""
    middle, half = rng.normal(0, 3, (2, 2000))
    half = np.abs(half) * rng.choice([0, 1e-9, 0.01, 1, 20], 2000)
    return torch.tensor(middle - half)[:, None], torch.tensor(middle + half)[:, None]


def grid(x: Intervals, y: Intervals, count: int = 21) -> tuple[Tensor, Tensor]:
    """(R, count^2) points of each box, its corners among them."""
    steps = torch.linspace(0, 1, count, dtype=torch.float64)
    first, second = torch.cartesian_prod(steps, steps).unbind(1)
    return x[0] + (x[1] - x[0]) * first, y[0] + (y[1] - y[0]) * second


def test_no_product_is_outside_its_planes_or_its_interval() -> None:
    rng = np.random.default_rng(11)
    x, y = some(rng), some(rng)
    bounds, (least, most) = Product().relax(x, y), Product().interval(x, y)
    a, b = grid(x, y)
    below = bounds.lower_slopes[0] * a + bounds.lower_slopes[1] * b + bounds.lower_offset
    above = bounds.upper_slopes[0] * a + bounds.upper_slopes[1] * b + bounds.upper_offset
    slack = 1e-11 * (1 + (a * b).abs().amax(1, keepdim=True))
    assert (below <= a * b + slack).all() and (above >= a * b - slack).all()
    assert (least <= a * b + slack).all() and (most >= a * b - slack).all()


def test_planes_are_exact_where_one_value_is_a_number_and_intervals_are_reached() -> None:
    rng = np.random.default_rng(12)
    x, (lower, _) = some(rng), some(rng)
    bounds, (least, most) = Product().relax(x, (lower, lower)), Product().interval(x, (lower, lower))
    a, b = grid(x, (lower, lower))
    for slopes, offset in ((bounds.lower_slopes, bounds.lower_offset), (bounds.upper_slopes, bounds.upper_offset)):
        torch.testing.assert_close(slopes[0] * a + slopes[1] * b + offset, a * b, atol=1e-9, rtol=1e-9)
    torch.testing.assert_close((a * b).amin(1, keepdim=True), least)
    torch.testing.assert_close((a * b).amax(1, keepdim=True), most)


def test_of_two_planes_the_one_with_the_better_worst_value_is_taken() -> None:
    x, y = some(np.random.default_rng(13)), some(np.random.default_rng(14))
    bounds = Product().relax(x, y)
    a, b = grid(x, y, 2)

    def least(slope: Tensor, other: Tensor, offset: Tensor) -> Tensor:
        return (slope * a + other * b + offset).amin(1)

    taken = least(*bounds.lower_slopes, bounds.lower_offset)
    for i in (0, 1):
        assert (taken >= least(y[i], x[i], -x[i] * y[i]) - 1e-9).all()
    highest = -least(*(-slope for slope in bounds.upper_slopes), -bounds.upper_offset)
    for i in (0, 1):
        assert (highest <= -least(-y[1 - i], -x[i], x[i] * y[1 - i]) + 1e-9).all()


def test_float32_products_are_off_by_less_than_the_error_allowed() -> None:
    rng = np.random.default_rng(15)
    a, b = (rng.normal(size=5000) * 10.0 ** rng.uniform(-30, 18, 5000) for _ in range(2))
    with np.errstate(over="ignore", under="ignore"):
        served = (a.astype("f4") * b.astype("f4")).astype("f8")
    x, y = (torch.tensor(v.astype("f4").astype("f8")) for v in (a, b))
    allowed = Product().error((x, x), (y, y))
    assert ((torch.tensor(served) - x * y).abs() <= allowed).all()
    assert torch.isinf(Product().error((x * 1e30, x * 1e30), (y * 1e30, y * 1e30))).any(), "overflow proves nothing"
