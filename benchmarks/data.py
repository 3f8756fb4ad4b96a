"""Real images and networks to measure on: the folder BRINELL_BENCH_DATA, by default ../shared/data.

The other libraries' sides read it too, in an environment that has none of ours: it imports nothing of ours.
"""

import gzip
import os
import sys
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

LARGE, DEEP = "large", "deep"  # networks on images of 224 x 224 x 3, written at first use
TINY = "ppo_CartPole-v1"  # 4 inputs, 2 actions
CART_POLE = np.array([2.4, 3.0, 0.21, 3.0], np.float32)  # position, speed, angle, angular speed: about where it plays

WRITTEN = Path(".bench")
FOLDER = Path(os.environ.get("BRINELL_BENCH_DATA", "../shared/data"))


def need() -> None:
    """End the program, saying why, where there is nothing to measure on."""
    if not FOLDER.is_dir():
        print("Skipped: no data. Set BRINELL_BENCH_DATA to a folder with mnist/ and nets/ (docs/benchmarks.md).")
        sys.exit(0)


def network(name: str) -> Path:
    if name not in (LARGE, DEEP):
        return FOLDER / "nets" / f"{name}.onnx"
    file = WRITTEN / f"{name}.onnx"
    if not file.exists():
        from benchmarks import deep_network, large_network

        WRITTEN.mkdir(exist_ok=True)
        made = large_network.network() if name == LARGE else deep_network.network()
        file.write_bytes(made.SerializeToString())
    return file


def images(indices: list[int]) -> NDArray[np.float32]:
    """Returns MNIST test images in [0, 1]: (n, 1, 28, 28)."""
    return _all()[indices].astype(np.float32)[:, None] / np.float32(255)


def device() -> str:
    """Return where models are opened: the processor, unless BRINELL_DEVICE names another."""
    return os.environ.get("BRINELL_DEVICE", "cpu")


def samples(net: str, indices: list[int]) -> NDArray[np.float32]:
    """What this network reads: images, or states of a cart with a pole, uniform in their box, (n, 4)."""
    if net.startswith("cifar"):
        return _small_photographs()[indices]
    if net in (LARGE, DEEP):
        from benchmarks import large_network

        return large_network.images(indices)
    return images(indices) if net != TINY else _states()[indices]


@cache
def _small_photographs() -> NDArray[np.float32]:
    """300 test images of CIFAR-10 in [0, 1]: (n, 3, 32, 32), in C order, since the layout of rows picks kernels."""
    with np.load(FOLDER / "cifar10" / "cifar10_test_subset.npz") as npz:
        return np.ascontiguousarray(npz["x"].transpose(0, 3, 1, 2), np.float32) / np.float32(255)


@cache
def _states() -> NDArray[np.float32]:
    return np.random.default_rng(0).uniform(-CART_POLE, CART_POLE, (1000, 4)).astype(np.float32)


def labels(count: int) -> NDArray[np.uint8]:
    """Returns the labels of the first MNIST test images: (count,)."""
    with gzip.open(FOLDER / "mnist" / "t10k-labels-idx1-ubyte.gz") as file:
        return np.frombuffer(file.read(), np.uint8, offset=8)[:count]


@cache
def _all() -> NDArray[Any]:
    """The IDX file: 16 bytes of header, then 28 x 28 bytes an image."""
    with gzip.open(FOLDER / "mnist" / "t10k-images-idx3-ubyte.gz") as file:
        return np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 28, 28)
