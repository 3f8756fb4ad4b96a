"""Other people's networks and images, which lie outside the repository: a test that finds none is skipped."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.data import FOLDER


def data_folder(path: str) -> Path:
    """A file or folder below BRINELL_BENCH_DATA."""
    if not (found := FOLDER / path).exists():
        pytest.skip(f"{path} is not below BRINELL_BENCH_DATA, default ../shared/data")
    return found


def images(shape: tuple[int, ...], count: int) -> NDArray[np.float32]:
    """The first test images of MNIST or CIFAR-10 in [0, 1], whichever has this shape: (count, *shape)."""
    if shape == (1, 28, 28):
        with gzip.open(data_folder("mnist/t10k-images-idx3-ubyte.gz")) as file:
            raw = np.frombuffer(file.read(16 + 784 * count)[16:], np.uint8).reshape(count, 1, 28, 28)
    else:
        stored = np.load(data_folder("cifar10/cifar10_test_subset.npz"))
        raw = stored["x" if "x" in stored else stored.files[0]][:count].transpose(0, 3, 1, 2)
    return raw.astype(np.float32) / 255
