"""The networks that attacks are tried on side by side: each with rows it was made for, and where searches begin."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import data

ROWS = 50  # of each network, at most
DIGITS = Path(__file__).parents[1] / "examples" / "digits"


@dataclass(frozen=True)
class Subject:
    """A subject is a network, labelled rows in [0, 1] to try it on, and where searches over a radius begin."""

    name: str
    file: Path
    labelled: Callable[[], tuple[NDArray[np.float32], NDArray[Any]]]
    largest: Mapping[str, float] = field(hash=False)


MNIST_RADII = {"l0": 0, "l1": 60.0, "l2": 5.0, "linf": 0.5}
SUBJECTS = (
    Subject("digits", DIGITS / "model.onnx", lambda: _digits(), {"l0": 0, "l1": 8.0, "l2": 2.0, "linf": 0.5}),
    Subject("mnist_madry_tiny", data.network("mnist_madry_tiny"), lambda: _mnist(), MNIST_RADII),
    Subject("mnist_cnn_a_adv", data.network("mnist_cnn_a_adv"), lambda: _mnist(), MNIST_RADII),
    Subject(
        "cifar_cnn_a_adv",
        data.network("cifar_cnn_a_adv"),
        lambda: _cifar(),
        {"l0": 0, "l1": 40.0, "l2": 2.0, "linf": 0.1},
    ),
    Subject("mnist_cw7", data.network("mnist_cw7"), lambda: _mnist(), MNIST_RADII),
)


def _digits() -> tuple[NDArray[np.float32], NDArray[Any]]:
    with np.load(DIGITS / "samples.npz") as npz:
        return npz["x"], npz["y"]


def _mnist() -> tuple[NDArray[np.float32], NDArray[Any]]:
    return data.images(list(range(2 * ROWS))), data.labels(2 * ROWS)


def _cifar() -> tuple[NDArray[np.float32], NDArray[Any]]:
    with np.load(data.FOLDER / "cifar10" / "cifar10_test_subset.npz") as npz:
        return npz["x"][: 3 * ROWS].transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255), npz["y"][: 3 * ROWS]
