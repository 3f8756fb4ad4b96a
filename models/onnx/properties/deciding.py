"""Is there an input in a box whose outputs are looked for? Points are tried first; then boxes are split."""

from collections.abc import Callable

import numpy as np
import onnx

from models.onnx.copying import own_copy
from models.onnx.graph import number_values
from models.onnx.properties.bounding import BoxBounding
from models.onnx.properties.descent import descents
from models.onnx.properties.search import CaseSearch, PropertyVerdict
from models.onnx.properties.subject import Subject, subject
from models.properties.conditions import PropertyCase
from models.properties.vnnlib import read_property

POINTS = 1000  # drawn in each box
SEED = 0


def decide(upload: onnx.ModelProto, text: str, is_over: Callable[[], bool]) -> PropertyVerdict:
    """Decide a property of a graph that has passed the gate, until it `is_over`.

    sat has a witness that onnxruntime answers as wanted; unsat holds for float32 as served. Raises Refused.
    """
    opened = subject(upload)
    cases = read_property(text, opened.inputs, opened.outputs)
    bounding, boxes = BoxBounding(opened.plan), 0
    searches = [CaseSearch(opened, bounding, case) for case in cases]
    for case, search in zip(cases, searches, strict=True):
        if (found := _attack(upload, opened, case, search, is_over)) is not None:
            return found
    is_open = False
    for search in searches:
        verdict = None
        while verdict is None:
            if is_over():
                return PropertyVerdict("timeout", domains=boxes + search.boxes)
            verdict = search.advance()
        boxes += search.boxes
        if verdict.answer == "sat":
            return verdict
        is_open = is_open or verdict.answer == "unknown"
    return PropertyVerdict("unknown" if is_open else "unsat", domains=boxes)


def _attack(
    upload: onnx.ModelProto, opened: Subject, case: PropertyCase, search: CaseSearch, is_over: Callable[[], bool]
) -> PropertyVerdict | None:
    rng = np.random.default_rng(SEED)
    corners = rng.integers(0, 2, (POINTS, opened.inputs))
    shares = np.concatenate([rng.random((POINTS, opened.inputs)), corners])
    if (found := search.try_points(case.lower + (case.upper - case.lower) * shares)) is not None:
        return found
    model = own_copy(upload)
    number_values(model)
    for ends in descents(model, opened, case, rng):
        if is_over():
            return None
        if (found := search.try_points(ends)) is not None:
            return found
    return None
