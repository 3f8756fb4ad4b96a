"""Features that a graph reads as codes: turned into whole numbers, or compared with the categories that it knows.

A column of a table may hold 1 to 4 for four colors. An encoder as exporters write it takes those numbers and no others,
so ordinary rows say nothing of such a model; and a change from 2 to 1.97 that a Cast cuts to 1 is no small change.
Which features they are is found by following rows that hold their own places: what only picks, casts and reshapes
hands the places on.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto

from algorithms.errors import ModelFault
from models.onnx.graph import ML, ONNX, attribute, constants, prune
from models.onnx.session import run_all
from models.onnx.signature import Entry

MOST_FEATURES = 2048  # of a row: a table; float16 counts so far without a gap
MOST_VALUES = 1000  # of a table of constants that a code picks from
PICKING = ("ArrayFeatureExtractor", "Concat", "FeatureVectorizer", "Gather", "Slice", "Split")
HANDED_ON = frozenset((*PICKING, "Cast", "Flatten", "Identity", "Reshape", "Squeeze", "Transpose", "Unsqueeze"))
WHOLE = frozenset({"Ceil", "Floor", "Round"})
WHOLE_TYPES = (
    TensorProto.INT8,
    TensorProto.INT16,
    TensorProto.INT32,
    TensorProto.INT64,
    TensorProto.UINT8,
    TensorProto.UINT16,
    TensorProto.UINT32,
    TensorProto.UINT64,
)

Constants = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Reader:
    """A reader is a node that reads a value by its whole numbers, or by categories: those that it knows, or none."""

    value: str
    known: tuple[float, ...]
    columns: tuple[int, ...] | None = None  # of the value, (N, F); None: all of it


def codes(model: ModelProto, entry: Entry) -> dict[int, tuple[float, ...]]:
    """Find the features of a row, counted flat, that are read as codes, each with the values known of it, or ().

    Values are those that the graph is fed, behind any preprocessing.
    """
    features = math.prod(entry.shape)
    known = constants(model.graph)
    readers = [reader for node in model.graph.node if (reader := _reader(node, known)) is not None]
    picked = _picked(model, entry.name)
    readers = [reader for reader in readers if reader.value in picked]
    if not readers or features > MOST_FEATURES:
        return {}
    try:
        places = _places(model, entry, features, {reader.value for reader in readers})
    except ModelFault:
        return {}
    found: dict[int, tuple[float, ...]] = {}
    for reader in readers:
        held = places[reader.value]
        for place in held if reader.columns is None else held[list(reader.columns)]:
            if place >= 0:
                found[int(place)] = found.get(int(place), ()) or reader.known
    return dict(sorted(found.items()))


def coded(rows: NDArray[np.float32], found: dict[int, tuple[float, ...]]) -> NDArray[np.float32]:
    """Put known values in the place of the features that are codes: rows (m, *shape), the values one after the other.

    Each feature goes through its values at a pace of its own, so that they meet in many ways.
    """
    flat = rows.reshape(len(rows), -1).copy()
    for number, (feature, values) in enumerate(found.items()):
        if values:
            turns = np.arange(len(rows)) // (1 + number % 3) + number
            flat[:, feature] = np.asarray(values, np.float32)[turns % len(values)]
    return flat.reshape(rows.shape)


def _reader(node: NodeProto, known: Constants) -> Reader | None:
    if node.domain in (*ONNX, ML) and (read := READERS.get(node.op_type)) is not None:
        return read(node, known)
    return None


def _whole(node: NodeProto, known: Constants) -> Reader | None:
    del known
    is_whole = node.op_type in WHOLE or attribute(node, "to", 0) in WHOLE_TYPES
    return Reader(node.input[0], ()) if is_whole else None


def _categories(*fields: str) -> Callable[[NodeProto, Constants], Reader]:
    def read(node: NodeProto, known: Constants) -> Reader:
        del known
        listed = next((given for field in fields if (given := attribute(node, field, None))), ())
        return Reader(node.input[0], tuple(_numbers(listed)))

    return read


def _equal(node: NodeProto, known: Constants) -> Reader | None:
    """Of a constant and a value: the constant's numbers, and one that is none of them."""
    value, constant = node.input if node.input[1] in known else reversed(node.input)
    numbers = known.get(constant)
    if numbers is None or value in known or numbers.dtype.kind not in "fiu" or numbers.size > MOST_VALUES:
        return None
    values = sorted({float(number) for number in numbers.ravel()})
    return Reader(value, (*values, values[-1] + 1))


def _table(node: NodeProto, known: Constants) -> Reader | None:
    """A row of a table of constants for each code, as an embedding has it."""
    table = known.get(node.input[0])
    if table is None or node.input[1] in known:
        return None
    return Reader(node.input[1], _first(table.shape[attribute(node, "axis", 0)]))


def _equal_branches(node: NodeProto, known: Constants) -> Reader | None:
    """Features that a tree asks for a category, as LightGBM's are exported."""
    del known
    modes, columns, values = (attribute(node, f"nodes_{field}", []) for field in ("modes", "featureids", "values"))
    asked = [i for i, mode in enumerate(modes) if mode == b"BRANCH_EQ"]
    known_values, read = sorted({float(values[i]) for i in asked}), sorted({int(columns[i]) for i in asked})
    return Reader(node.input[0], tuple(known_values), tuple(read)) if asked else None


def _one_hot(node: NodeProto, known: Constants) -> Reader | None:
    depth = known.get(node.input[1])
    return Reader(node.input[0], () if depth is None else _first(int(depth.ravel()[0])))


READERS: dict[str, Callable[[NodeProto, Constants], Reader | None]] = {
    **dict.fromkeys((*WHOLE, "Cast"), _whole),
    "OneHotEncoder": _categories("cats_int64s", "cats_strings"),
    "LabelEncoder": _categories("keys_int64s", "keys_floats", "keys_strings"),
    "CategoryMapper": _categories("cats_int64s", "cats_strings"),
    "Equal": _equal,
    "Gather": _table,
    "OneHot": _one_hot,
    **dict.fromkeys(("TreeEnsembleClassifier", "TreeEnsembleRegressor"), _equal_branches),
}


def _first(count: int) -> tuple[float, ...]:
    return tuple(float(code) for code in range(min(count, MOST_VALUES)))


def _numbers(listed: Any) -> Iterator[float]:
    """What of the categories is a number: rows are numbers, also where an encoder reads them as text."""
    for category in listed:
        try:
            number = float(category)
        except ValueError:
            continue
        if math.isfinite(number):
            yield number


def _picked(model: ModelProto, entry: str) -> set[str]:
    """Values that hold numbers of the rows and constants, and nothing that was computed."""
    fixed, picked = set(constants(model.graph)), {entry}
    for node in model.graph.node:  # sorted by `prune`
        inputs = [name for name in node.input if name and name not in fixed]
        if node.op_type in HANDED_ON and inputs and picked.issuperset(inputs) and node.input[0] not in fixed:
            picked.update(name for name in node.output if name)
    return picked


def _places(model: ModelProto, entry: Entry, features: int, wanted: set[str]) -> dict[str, NDArray[np.int64]]:
    """Which feature each number of a value holds, -1 for none: found by places counted from 0, and from elsewhere.

    Raises ModelFault.
    """
    cut = ModelProto()
    cut.CopyFrom(model)
    made = sorted(wanted - {entry.name})
    prune(cut, [ValueInfoProto(name=name) for name in made])  # of whatever type
    elsewhere = features + 7
    marks = np.stack([np.arange(features).reshape(entry.shape)] * (entry.batch or 2))
    fed = [(marks + start).astype(entry.dtype) for start in (0, elsewhere)]
    here, there = ({entry.name: rows, **(run_all(cut, rows) if made else {})} for rows in fed)
    return {name: _agreed(here[name], there[name], features, elsewhere) for name in wanted}


def _agreed(here: NDArray[Any], there: NDArray[Any], features: int, elsewhere: int) -> NDArray[np.int64]:
    try:
        first, second = (value.astype(np.float64).ravel() for value in (here, there))
    except ValueError:  # text that is no number
        return np.full(here.size, -1)
    is_place = (second == first + elsewhere) & (first >= 0) & (first < features) & (first == np.floor(first))
    return np.where(is_place, first, -1).astype(np.int64)
