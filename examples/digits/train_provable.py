"""Trains the model of `brinell demo`: so small, and so trained, that a proof comes as near to the truth as an attack.

    python -m examples.digits.train_provable

writes `model_provable.onnx` beside this file. Needs the extra `brinell[examples]`.

What is proven is part of the loss: the lower bounds of all margins in an l2 ball around each digit, by CROWN's lines
(Zhang et al. 2018, arXiv:1811.00866; as a loss, Zhang et al. 2020, arXiv:1906.06316). The ball grows in the first half
of the training.
"""

import torch
from torch import Tensor, nn

from examples.digits.train import HERE, TEST, accuracy, export, noisy, split, train

HIDDEN = 190  # ReLUs, all that there are
RADIUS = 0.65  # l2
EPOCHS = 60


def network() -> nn.Module:
    """14,260 weights."""
    return nn.Sequential(nn.Flatten(), nn.Linear(64, HIDDEN), nn.ReLU(), nn.Linear(HIDDEN, 10))


def unproven(model: nn.Module, x: Tensor, y: Tensor, done: float) -> Tensor:
    """The cross-entropy of what the least margins say in the ball of the radius that it has grown to."""
    return nn.functional.cross_entropy(-least_margins(model, x, y, RADIUS * min(1.0, 2 * done)), y)


def least_margins(model: nn.Module, x: Tensor, y: Tensor, radius: float) -> Tensor:
    """Lower bounds (batch, 10) of every label's margin over each class, 0 for its own, in l2 balls."""
    first, last = model[1], model[3]
    assert isinstance(first, nn.Linear)
    assert isinstance(last, nn.Linear)
    flat = x.flatten(1)
    center, spread = first(flat), radius * first.weight.norm(dim=1)
    lower, upper = center - spread, center + spread  # (batch, HIDDEN)
    may_be_either = (lower < 0) & (upper > 0)
    chord = torch.where(may_be_either, upper / (upper - lower).clamp(min=1e-6), (lower >= 0).float())
    below = torch.where(may_be_either, (upper > -lower).float(), chord)
    slopes = last.weight[y][:, None] - last.weight  # (batch, 10, HIDDEN)
    onto = torch.where(slopes > 0, slopes * below[:, None], slopes * chord[:, None])
    lost = (slopes.clamp(max=0) * (chord * -lower * may_be_either)[:, None]).sum(2)
    constant = lost + onto @ first.bias + last.bias[y][:, None] - last.bias
    by_pixel = onto @ first.weight  # (batch, 10, 64)
    return constant + torch.einsum("bkd,bd->bk", by_pixel, flat) - radius * by_pixel.norm(dim=2)


def trained() -> nn.Module:
    return train(split()[0], noisy, network, unproven, EPOCHS)


def main() -> None:
    model, (_, unseen) = trained(), split()
    export(model, HERE / "model_provable.onnx")
    print(f"test accuracy {accuracy(model, unseen):.2%} of {TEST} digits")


if __name__ == "__main__":
    main()
