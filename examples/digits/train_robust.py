"""Trains the second bundled model: the same network, trained against an adversary who moves each digit by l2 <= 1.

    python -m examples.digits.train_robust

writes `model_robust.onnx` beside this file. Needs the extra `brinell[examples]`.
"""

import torch
from torch import Tensor, nn

from examples.digits.train import HERE, TEST, accuracy, export, split, train

RADIUS = 1.0  # l2
STEPS = 7
STRIDE = 2.5 * RADIUS / STEPS  # Madry et al. 2018 (arXiv:1706.06083): the walk can cross the ball and turn


def adversarial(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:
    """The digits (batch, 1, 8, 8) moved uphill on the cross-entropy, from a random start, within ball and [0, 1]."""
    moved = _into_ball(x, x + RADIUS * _unit(torch.randn(x.shape)) * torch.rand(len(x), 1, 1, 1))
    for _ in range(STEPS):
        moved.requires_grad_()
        (gradient,) = torch.autograd.grad(nn.functional.cross_entropy(model(moved), y), moved)
        moved = _into_ball(x, moved.detach() + STRIDE * _unit(gradient))
    return moved


def _unit(rows: Tensor) -> Tensor:
    """Each row with l2 norm 1; zero stays zero."""
    return nn.functional.normalize(rows.flatten(1)).view_as(rows)


def _into_ball(x: Tensor, moved: Tensor) -> Tensor:
    """Pulled back to RADIUS of `x`, then clipped: clipping towards the box that holds `x` only comes nearer."""
    step = moved - x
    length = step.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
    return (x + step * (RADIUS / length.clamp(min=RADIUS))).clamp(0, 1)


def main() -> None:
    seen, unseen = split()
    model = train(seen, adversarial)
    export(model, HERE / "model_robust.onnx")
    print(f"test accuracy {accuracy(model, unseen):.2%} of {TEST} digits")


if __name__ == "__main__":
    main()
