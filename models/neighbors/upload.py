"""Uploaded nearest-neighbor models: an .npz with `x` (n, *shape), labels `y` (n,), `k`, and how to measure.

`metric` is a positive semidefinite matrix M (d, d), `g` a factor G (r, d) of M = G^T G; with neither, plain Euclidean.
d is the number of features of a row. Read by the same reader as samples, which believes no header.
"""

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from algorithms.errors import Refused
from algorithms.seam.access import Access
from algorithms.seam.questions.neighbors import Neighbors
from models.archive import ArchivedArray
from models.arrays import finite, invalid, model_arrays, unsupported, whole
from models.cards import Inspection, ModelInput, ModelOutput, Reads

TOO_MUCH = "model_too_complex"
NAMES = ("x", "y", "k", "metric", "g")
MAX_CLASSES = 65_536
MAX_METRIC = 2_048  # features of a `metric`: taking it apart costs their cube
MAX_NUMBERS = 1 << 26  # in x: half a GiB in float64, of which a certificate holds a few copies
ROUNDED = 1e-6  # share of the largest: how negative an eigenvalue, how lopsided a metric may be that float32 computed


def inspect(data: bytes) -> Inspection:
    """Say what the arrays are. Raises Refused as `read`."""
    neighbors, shape, dtype = read(data)
    return Inspection(
        input=ModelInput(name="x", dtype=dtype, shape=shape, batch=None),
        output=ModelOutput(name="y", classes=int(neighbors.y.max()) + 1, kind="labels"),
        reads=Reads(output="y", as_="label", because="graph"),
        offers=(Access.LABELS, Access.NEIGHBOURS),
    )


def read(data: bytes) -> tuple[Neighbors, tuple[int, ...], str]:
    """Read the arrays into the model, the shape of a row, and the dtype of x.

    Raises Refused: model_unparseable for what is no .npz of numbers, unsupported_signature for missing arrays, shapes
    and types, model_invalid for what contradicts itself, model_too_complex.
    """
    with model_arrays(data, names=NAMES, required=("x", "y", "k")) as arrays:
        _check_signature(arrays)
        loaded = {name: whole(array) for name, array in arrays.items()}
    shape, dtype = arrays["x"].shape[1:], arrays["x"].dtype.name
    x = finite("x", loaded["x"]).reshape(len(loaded["x"]), -1)
    y, k = _labels(loaded["y"]), _neighbor_count(loaded["k"], len(x))
    return Neighbors(x, y, k, _factor(loaded)), shape, dtype


def _check_signature(arrays: dict[str, ArchivedArray]) -> None:
    """By the headers alone, before any number is read."""
    x, y, k = arrays["x"], arrays["y"], arrays["k"]
    if len(x.shape) < 2 or x.size == 0:
        raise unsupported("Array x needs an axis of points and at least one more, none of them empty: (n, *shape).")
    if x.size > MAX_NUMBERS:
        raise Refused(
            f"Array x has {x.size} numbers, at most {MAX_NUMBERS} are taken; leave points out.", code=TOO_MUCH
        )
    if y.dtype.kind not in "iu" or y.shape != x.shape[:1]:
        raise unsupported(f"Array y must hold integers, one for each of the {x.shape[0]} points of x: shape (n,).")
    if k.dtype.kind not in "iu" or k.size != 1:
        raise unsupported("Array k must be one integer, the number of neighbors that vote.")
    _check_measure(arrays, prod(x.shape[1:]))


def _check_measure(arrays: dict[str, ArchivedArray], d: int) -> None:
    if "metric" in arrays and "g" in arrays:
        raise unsupported("Give metric or its factor g, not both.")
    if "metric" in arrays and arrays["metric"].shape != (d, d):
        raise unsupported(f"Array metric must be square with one row for each of the {d} features: ({d}, {d}).")
    if "metric" in arrays and d > MAX_METRIC:
        raise Refused(
            f"A metric of more than {MAX_METRIC} features takes too long to take apart; give its factor g.",
            code=TOO_MUCH,
        )
    if "g" in arrays and (len(arrays["g"].shape) != 2 or arrays["g"].shape[1] != d or arrays["g"].size == 0):
        raise unsupported(f"Array g must have one column for each of the {d} features: (r, {d}).")


def _labels(numbers: NDArray[Any]) -> NDArray[np.int64]:
    lowest, highest = int(numbers.min()), int(numbers.max())
    if not 0 <= lowest < highest < MAX_CLASSES:
        raise invalid(
            f"Array y must hold labels from 0 on, at least two different ones and none above {MAX_CLASSES - 1}; "
            f"these run from {lowest} to {highest}. Number the classes 0, 1, 2."
        )
    return numbers.astype(np.int64)


def _neighbor_count(numbers: NDArray[Any], points: int) -> int:
    k = int(numbers.ravel()[0])
    if not 1 <= k <= points:
        raise invalid(f"k is {k}, and there are {points} points: k must be from 1 to {points}.")
    return k


def _factor(loaded: dict[str, NDArray[Any]]) -> NDArray[np.float64] | None:
    """G of M = G^T G, (r, d); None where neither is given."""
    if "g" in loaded:
        return _measures_something("g", finite("g", loaded["g"]))
    if "metric" not in loaded:
        return None
    metric = _measures_something("metric", finite("metric", loaded["metric"]))
    if np.abs(metric - metric.T).max() > ROUNDED * np.abs(metric).max():
        raise invalid("Array metric must be symmetric; give (metric + metric.T) / 2.")
    values, vectors = np.linalg.eigh((metric + metric.T) / 2)
    if values[0] < -ROUNDED * values[-1]:
        raise invalid(
            f"Array metric must be positive semidefinite; its smallest eigenvalue is {values[0]:.3g} beside a largest "
            f"of {values[-1]:.3g}. Project it, or give its factor g."
        )
    kept = values > 0
    return np.ascontiguousarray(np.sqrt(values[kept])[:, None] * vectors.T[kept])


def _measures_something(name: str, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    if not numbers.any():
        raise invalid(f"Array {name} is all zeros: every point would be equally near.")
    return numbers
