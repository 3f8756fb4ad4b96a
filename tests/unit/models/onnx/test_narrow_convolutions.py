"""Going back by columns gives the gradient that torch gives, wherever it is taken, and is taken where it should be."""

import pytest
import torch
import torch.nn.functional as F

from models.onnx.gradients.narrow_convolutions import CHANNELS, NarrowConvolutions, are_narrow

WHERE = {
    "plain": {},
    "padded": {"padding": 1},
    "strided past the edge": {"stride": 2, "padding": (1, 0)},
    "dilated": {"dilation": 2, "padding": 2},
    "uneven": {"stride": (2, 1), "padding": (0, 2), "dilation": (1, 2)},
}


def slope(x: torch.Tensor, weight: torch.Tensor, where: dict) -> tuple[str, torch.Tensor]:
    """The name of the last step of the graph, and the gradient."""
    point = x.clone().requires_grad_(True)
    out = F.conv2d(point, weight, torch.ones(len(weight)), **where)
    seed = torch.linspace(-1, 1, out.numel()).reshape(out.shape)
    return type(out.grad_fn).__name__, torch.autograd.grad(out, point, seed)[0]


@pytest.mark.parametrize("where", WHERE.values(), ids=WHERE)
@pytest.mark.parametrize("channels", [1, 3, CHANNELS])
def test_the_gradient_is_that_of_torch(channels: int, where: dict) -> None:
    torch.manual_seed(channels)
    x, weight = torch.randn(3, channels, 9, 8), torch.randn(6, channels, 3, 2)
    _, expected = slope(x, weight, where)
    with NarrowConvolutions():
        way, found = slope(x, weight, where)
    assert way == "_ByColumnsBackward"
    torch.testing.assert_close(found, expected, rtol=1e-5, atol=1e-5)


def test_wide_and_grouped_convolutions_are_left_alone() -> None:
    for channels, groups in ((CHANNELS + 1, 1), (4, 2)):
        x, weight = torch.randn(2, channels, 6, 6), torch.randn(4, channels // groups, 3, 3)
        with NarrowConvolutions():
            way, _ = slope(x, weight, {"groups": groups})
        assert way == "ConvolutionBackward0"


def test_large_kernels_would_take_too_much_memory() -> None:
    assert are_narrow([torch.zeros(8, 1, 16, 16)])
    assert not are_narrow([torch.zeros(8, 1, 17, 17), torch.zeros(8, CHANNELS + 1, 3, 3), torch.zeros(8, 1)])
