"""The side of AutoAttack's authors: their code, as PyPI has it, on the same network rebuilt in torch.

Runs in `.venv-peers` (see `benchmarks.peers`) and imports nothing of ours. pyautoattack is their repository, packaged;
torchattacks wrote parts of it anew, so it is not what papers report.
"""

import logging
import warnings
from typing import Any

import numpy as np
import onnx
import onnx2fx
import torch
from pyautoattack import AutoAttack

from benchmarks.sides import serve

warnings.simplefilter("ignore")  # theirs are not ours to read
logging.getLogger("auto-attack").setLevel(logging.ERROR)

NORMS = {"l1": "L1", "l2": "L2", "linf": "Linf"}


def robust(file: str, rows: str, norm: str, epsilon: float) -> list[bool]:
    """Runs the standard version on the rows of an .npy file: which stay as the network reads them, seed 0."""
    torch.manual_seed(0)
    model: Any = onnx2fx.convert(onnx.load(file)).eval().requires_grad_(False)
    x = torch.from_numpy(np.load(rows))
    labels = model(x).argmax(1)
    attack = AutoAttack(model, norm=NORMS[norm], eps=epsilon, version="standard", seed=0, device="cpu")
    attack.verbose = False
    found = attack.run_standard_evaluation(x, labels, batch_size=len(x))
    if isinstance(found, tuple):
        found = found[0]
    stays: list[bool] = (model(found).argmax(1) == labels).tolist()
    return stays


if __name__ == "__main__":
    serve({"robust": robust})
