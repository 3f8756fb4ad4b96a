"""Is there an input in a box whose outputs are looked for? Points are tried first; then the box is split."""

from collections.abc import Iterator

import numpy as np
import onnx
from numpy.typing import NDArray

from models.onnx.copying import own_copy
from models.onnx.graph import number_values
from models.onnx.properties.descent import descents
from models.onnx.properties.proving import IsOver, Proof, TimeIsOver
from models.onnx.properties.subject import Subject, subject
from models.onnx.properties.trial import Witness, tried
from models.onnx.properties.verdict import PropertyVerdict
from models.properties.conditions import PropertyCase
from models.properties.vnnlib import read_property

POINTS, AT_ONCE = 2000, 100  # drawn in each box, half of them its corners
SEED = 0


def decide(upload: onnx.ModelProto, text: str, is_over: IsOver) -> PropertyVerdict:
    """Decide a property of a graph that has passed the gate, until it `is_over`.

    sat has a witness that onnxruntime answers as wanted; unsat holds for float32 as served. Raises Refused.
    """
    opened = subject(upload)
    cases = read_property(text, opened.inputs, opened.outputs)
    domains = 0
    try:
        for case in cases:
            if (found := _attacked(upload, opened, case, is_over)) is not None:
                return _sat(found, domains)
        reasons = []
        for case in cases:
            if opened.plan is None:
                return PropertyVerdict("unknown", reason=opened.unbounded)
            proof = Proof(opened, opened.plan, case, is_over)
            try:
                ended = proof.settle()
            finally:
                domains += proof.domains
            if isinstance(ended, Witness):
                return _sat(ended, domains)
            reasons += [] if ended is None else [ended]
    except TimeIsOver:
        return PropertyVerdict("timeout", domains)
    return PropertyVerdict("unknown", domains, reason=reasons[0]) if reasons else PropertyVerdict("unsat", domains)


def _sat(found: Witness, domains: int) -> PropertyVerdict:
    return PropertyVerdict("sat", domains, found.inputs, found.outputs)


def _attacked(upload: onnx.ModelProto, opened: Subject, case: PropertyCase, is_over: IsOver) -> Witness | None:
    rng = np.random.default_rng(SEED)
    for points in _drawn(case, rng):
        if (found := tried(opened, case, points)) is not None:
            return found
        if is_over():
            raise TimeIsOver
    model = own_copy(upload)
    number_values(model)
    for points in descents(model, opened, case, rng):
        if (found := tried(opened, case, points)) is not None:
            return found
        if is_over():
            raise TimeIsOver
    return None


def _drawn(case: PropertyCase, rng: np.random.Generator) -> Iterator[NDArray[np.float64]]:
    """Points of a box, and its corners, (AT_ONCE, inputs)."""
    inputs, half = len(case.lower), AT_ONCE // 2
    for _ in range(POINTS // AT_ONCE):
        shares = np.concatenate([rng.random((half, inputs)), rng.integers(0, 2, (half, inputs))])
        yield case.lower + (case.upper - case.lower) * shares
