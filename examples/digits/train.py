"""Trains the bundled model: a small ReLU network that reads scikit-learn's 8x8 handwritten digits.

    python -m examples.digits.train

writes `model.onnx` (float32 (batch, 1, 8, 8) in [0, 1] -> 10 logits) and `samples.npz` (200 digits it never saw, with
their labels) beside this file. Needs the extra `brinell[examples]`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from onnx_ir.passes.common import ClearMetadataAndDocStringPass
from sklearn.datasets import load_digits
from torch import Tensor, nn

HERE = Path(__file__).parent
TEST = 400  # of 1797
SAMPLES = 200  # of the test digits
EPOCHS = 30
BATCH = 64
NOISE = 0.2
SEED = 0


class Digits(NamedTuple):
    x: NDArray[np.float32]  # (n, 1, 8, 8) in [0, 1]
    y: NDArray[np.int64]  # (n,)


def split() -> tuple[Digits, Digits]:
    """(train, test), the same on every machine."""
    images, labels = load_digits(return_X_y=True)
    x = (images / 16).astype(np.float32).reshape(-1, 1, 8, 8)  # the data set counts dark pixels of 4x4 blocks: 0..16
    order = np.random.default_rng(SEED).permutation(len(x))
    x, y = x[order], labels[order].astype(np.int64)
    return Digits(x[TEST:], y[TEST:]), Digits(x[:TEST], y[:TEST])


def network() -> nn.Module:
    """21,546 weights."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1),  # (batch, 16, 8, 8)
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, stride=2, padding=1),  # (batch, 32, 4, 4)
        nn.ReLU(),
        nn.Flatten(),  # (batch, 512)
        nn.Linear(512, 32),
        nn.ReLU(),
        nn.Linear(32, 10),
    )


def noisy(model: nn.Module, x: Tensor, y: Tensor) -> Tensor:  # noqa: ARG001 - noise needs neither model nor labels
    """Copies of the digits (batch, 1, 8, 8) with noise."""
    return (x + NOISE * torch.randn(x.shape)).clamp(0, 1)


def no_more(model: nn.Module, x: Tensor, y: Tensor, done: float) -> Tensor:  # noqa: ARG001 - what others add reads them
    """Nothing beside the cross-entropy."""
    return torch.zeros(())


def train(
    digits: Digits,
    disturb: Callable[[nn.Module, Tensor, Tensor], Tensor] = noisy,
    build: Callable[[], nn.Module] = network,
    penalty: Callable[[nn.Module, Tensor, Tensor, float], Tensor] = no_more,
    epochs: int = EPOCHS,
) -> nn.Module:
    """AdamW on the cross-entropy of disturbed digits. One thread, one seed: one kind of CPU gives one model.

    `penalty` is added, of the digits as they are; it is told the share of the training that is done.
    """
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    model = build()
    x, y = torch.from_numpy(digits.x), torch.from_numpy(digits.y)
    optimizer = torch.optim.AdamW(model.parameters(), weight_decay=1e-2)
    steps = epochs * -(-len(x) // BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=5e-3, total_steps=steps)
    for _ in range(epochs):
        for batch in torch.randperm(len(x)).split(BATCH):
            disturbed = disturb(model, x[batch], y[batch])
            more = penalty(model, x[batch], y[batch], schedule.last_epoch / steps)
            optimizer.zero_grad()
            (nn.functional.cross_entropy(model(disturbed), y[batch]) + more).backward()
            optimizer.step()
            schedule.step()
    return model.eval()


def accuracy(model: nn.Module, digits: Digits) -> float:
    with torch.no_grad():
        predicted = model(torch.from_numpy(digits.x)).argmax(dim=1).numpy()
    return float((predicted == digits.y).mean())


def export(model: nn.Module, path: Path) -> None:
    """ONNX for any batch size, with the weights inside the file and without the exporter's stack traces."""
    program = torch.onnx.export(
        model,
        (torch.zeros(2, 1, 8, 8),),
        input_names=["digits"],
        output_names=["logits"],
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        dynamo=True,
        verbose=False,
    )
    ClearMetadataAndDocStringPass()(program.model)  # they name the folders of the machine
    program.save(path, external_data=False)


def main() -> None:
    seen, unseen = split()
    model = train(seen)
    export(model, HERE / "model.onnx")
    np.savez_compressed(HERE / "samples.npz", x=unseen.x[:SAMPLES], y=unseen.y[:SAMPLES])
    print(f"test accuracy {accuracy(model, unseen):.2%} of {TEST} digits")


if __name__ == "__main__":
    main()
