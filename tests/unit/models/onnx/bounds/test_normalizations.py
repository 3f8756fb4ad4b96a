"""A variance may be computed by its moments, and is then off by what cancels."""

import numpy as np
import torch

from models.onnx.bounds.rounding import disturbance
from models.onnx.bounds.rules.normalizations import centered, variance


def test_the_rounding_of_moments_that_cancel_is_counted() -> None:
    x = (3000 + 2 * np.random.default_rng(0).random((200, 64))).astype(np.float32)
    operator = variance((64,), [1], 1e-5, "cpu")
    exact = torch.from_numpy(x.astype(np.float64))
    squares = (exact - exact.mean(1, keepdim=True)).square()
    count = np.float32(64)
    moments = (x * x).sum(1, keepdims=True) / count - (x.sum(1, keepdims=True) / count) ** 2 + np.float32(1e-5)
    error = (torch.from_numpy(moments.astype(np.float64)) - operator.apply(squares, exact) - operator.bias).abs()
    assert operator.sizes is not None and operator.bias is not None
    assert (error <= disturbance(operator.sizes(squares, exact.abs()) + operator.bias, operator.terms)).all()
    assert (error > disturbance(operator.magnitude(squares, exact) + operator.bias, operator.terms)).any(), (
        "no small thing"
    )


def test_what_is_centered_rounds_by_what_it_was() -> None:
    x = (3000 + 2 * np.random.default_rng(0).random((200, 64))).astype(np.float32)
    operator = centered((64,), [1])
    exact = torch.from_numpy(x.astype(np.float64))
    served = torch.from_numpy((x - x.mean(1, keepdims=True)).astype(np.float64))
    assert operator.sizes is not None
    assert ((served - operator.apply(exact)).abs() <= disturbance(operator.sizes(exact.abs()), operator.terms)).all()
    identity = torch.eye(64, dtype=torch.float64)
    torch.testing.assert_close(operator.magnitude(identity), operator.apply(identity).abs())
