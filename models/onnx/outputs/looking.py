"""Rows on which the outputs of a file are held against each other: ordinary ones, and those where its answer changes.

A threshold of .55 and one of .50 differ on few rows. They are found by halving the way between two rows of different
labels, and of different largest scores. To have two labels at all, rows are drawn where the graph itself says that its
numbers lie: by the offsets of its scaler, the thresholds of its trees, its support vectors.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto

from algorithms.errors import ModelFault
from algorithms.seam.access import Labels, Rows, Scores
from models.onnx.graph import ML, ONNX, attribute, constants, producers

LADDER = (10.0, 100.0, 1e3, 1e4)  # how large numbers may be that no scaler brings down
EACH = 8  # rows of every sort
LARGE = 2**14  # numbers a row from which on fewer rows are asked

Ask = Callable[[Rows], tuple[Labels, Scores]]  # the label and the scores of each row
Draw = np.random.Generator


@dataclass(frozen=True)
class Looked:
    """Looked is what was answered to the rows looked at: labels (n,) and scores (n, K)."""

    labels: Labels
    scores: Scores


def look(ask: Ask, drawn: list[Rows]) -> Looked:
    """Ask rows as they were drawn, and then the rows between those of different answers. Each group is left out alone.

    Raises ModelFault where the first group cannot be asked: it is the ordinary one.
    """
    rng = np.random.Generator(np.random.Philox(1))
    rows, found = [drawn[0]], [Looked(*ask(drawn[0]))]
    for group in drawn[1:]:
        with suppress(ModelFault):  # a file need not take every number
            found += [Looked(*ask(group))] if len(group) else []
            rows += [group] if len(group) else []
    known, answers = np.concatenate(rows), _joined(found)
    pairs, halvings = (4, 12) if math.prod(known.shape[1:]) > LARGE else (16, 22)
    for by_labels in (True, False):
        starts = _pairs(rng, answers.labels if by_labels else _largest(answers.scores), pairs)
        if starts is not None:
            with suppress(ModelFault):
                for step in _halved(ask, known[starts[0]], known[starts[1]], by_labels, halvings):
                    found.append(step)
    return _joined(found)


def _joined(found: list[Looked]) -> Looked:
    return Looked(np.concatenate([each.labels for each in found]), np.concatenate([each.scores for each in found]))


def ladder(shape: tuple[int, ...]) -> list[Rows]:
    """Draw rows of many sizes, normal and uniform: each (EACH, *shape)."""
    rng = np.random.Generator(np.random.Philox(3))
    return [(size * rng.standard_normal((EACH, *shape))).astype(np.float32) for size in LADDER] + [
        (255 * rng.random((EACH, *shape))).astype(np.float32)
    ]


def _largest(scores: Scores) -> Labels:
    return np.where(np.isfinite(scores).all(axis=1), scores.argmax(axis=1), -1)


def _pairs(rng: Draw, answer: Labels, count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]] | None:
    """Draw pairs of rows whose answers differ, rare answers as often as others; None where all agree."""
    kinds = np.unique(answer[answer >= 0])
    if len(kinds) < 2:
        return None
    pairs = []
    for _ in range(count):
        one, other = rng.choice(kinds, 2, replace=False)
        pairs.append([rng.choice(np.flatnonzero(answer == kind)) for kind in (one, other)])
    first, second = np.array(pairs).T
    return first, second


def _halved(ask: Ask, left: Rows, right: Rows, by_labels: bool, halvings: int) -> Iterator[Looked]:
    """Halve the way from each row to its partner; what is kept on the left answers as the first row did."""
    start: Labels | None = None
    for _ in range(halvings + 1):
        middle = left if start is None else ((left + right) / 2).astype(np.float32)
        looked = Looked(*ask(middle))
        answer = looked.labels if by_labels else _largest(looked.scores)
        if start is None:
            start = answer
            continue
        yield looked
        same = (answer == start).reshape((-1, *[1] * (left.ndim - 1)))
        left, right = np.where(same, middle, left), np.where(same, right, middle)


def rows_near(model: ModelProto, shape: tuple[int, ...]) -> Rows:
    """Draw rows (m, *shape) where the graph's own constants lie; none where it tells of none."""
    d = math.prod(shape)
    rng = np.random.Generator(np.random.Philox(2))
    found = [rows for node in model.graph.node if node.domain == ML for rows in _by_operator(rng, node, d)]
    found += list(_by_differences(rng, model, d))
    return np.concatenate([np.zeros((0, d), np.float32), *found[:8]]).reshape(-1, *shape)


def _by_operator(rng: Draw, node: NodeProto, d: int) -> list[Rows]:
    if node.op_type == "Scaler":
        offset, scale = (np.asarray(attribute(node, field, [1.0])) for field in ("offset", "scale"))
        if {offset.size, scale.size} <= {1, d}:
            widths = 1 / np.where(scale == 0, 1, np.abs(scale))
            return [(offset + widths * rng.standard_normal((4 * EACH, d))).astype(np.float32)]
    if node.op_type == "SVMClassifier":
        vectors = np.asarray(attribute(node, "support_vectors", []), np.float64)
        if vectors.size and vectors.size % d == 0:
            return [_mixed(rng, vectors.reshape(-1, d), 0.0)]
    if node.op_type in ("TreeEnsembleClassifier", "TreeEnsembleRegressor"):
        return [_at_splits(rng, node, d)]
    return []


def _mixed(rng: Draw, centers: NDArray[np.float64], width: NDArray[np.float64] | float) -> Rows:
    """Draw rows between two centers each, and around them."""
    first, second = (centers[rng.integers(len(centers), size=4 * EACH)] for _ in range(2))
    share = rng.random((4 * EACH, 1))
    return (share * first + (1 - share) * second + width * rng.standard_normal(first.shape)).astype(np.float32)


def _at_splits(rng: Draw, node: NodeProto, d: int) -> Rows:
    """Draw rows each of whose features lies at a threshold of its own, or next to it."""
    features = np.asarray(attribute(node, "nodes_featureids", []), np.int64)
    values = np.asarray(attribute(node, "nodes_values", []), np.float32)
    splits = np.array([mode != b"LEAF" for mode in attribute(node, "nodes_modes", [])], bool)
    rows = rng.standard_normal((8 * EACH, d)).astype(np.float32)
    if not len(features) == len(values) == len(splits):
        return rows[:0]
    for feature in range(d):
        own = values[splits & (features == feature)]
        if len(own):
            chosen = rng.choice(own, len(rows))
            beside = [np.nextafter(chosen, np.float32(side), dtype=np.float32) for side in (-np.inf, np.inf)]
            rows[:, feature] = np.choose(rng.integers(3, size=len(rows)), [chosen, *beside])
    return rows


def _by_differences(rng: Draw, model: ModelProto, d: int) -> list[Rows]:
    """Draw rows around constants that the rows themselves are held against: x - mean, by one or by class."""
    makers, known = producers(model.graph), constants(model.graph)
    entry = model.graph.input[0].name
    found = []
    for node in model.graph.node:
        if node.op_type != "Sub" or node.domain not in ONNX or len(node.input) != 2:
            continue
        centers, source = known.get(node.input[1]), node.input[0]
        while source in makers and makers[source].op_type in ("Cast", "Identity", "Reshape", "Flatten"):
            source = makers[source].input[0]
        if source == entry and centers is not None and centers.size and centers.size % d == 0:
            means = centers.reshape(-1, d).astype(np.float64)
            found.append(_mixed(rng, means, np.maximum(means.std(axis=0), 0.3 * np.abs(means).mean() + 0.1)))
    return found
