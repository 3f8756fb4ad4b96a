"""The graph that a property is about: as it was uploaded, one float32 input and one output, nothing cut or read."""

from dataclasses import dataclass, replace

import numpy as np
import onnx
from numpy.typing import NDArray

from algorithms.errors import Refused
from models.onnx import probes
from models.onnx.bounds.graph.node import Unsupported
from models.onnx.bounds.passes.plan import BoundPlan, plan
from models.onnx.copying import own_copy
from models.onnx.graph import number_values, prune
from models.onnx.session import Session, padded
from models.onnx.signature import Entry, read_entry, unsupported
from models.onnx.uploaded import UploadedGraph, check_rows_stand_alone, try_out


@dataclass(frozen=True)
class Subject:
    """A subject is asked point by point, and bounded by its plan; None: it has none, and `unbounded` says why."""

    session: Session
    output: str
    plan: BoundPlan | None
    unbounded: str
    shape: tuple[int, ...]  # of one row
    inputs: int
    outputs: int

    def answer(self, points: NDArray[np.float32]) -> NDArray[np.float32]:
        """Ask onnxruntime about points (n, inputs): (n, outputs)."""
        found = self.session.ask(points.reshape(-1, *self.shape), self.output)
        return found.reshape(len(points), -1)


def subject(upload: onnx.ModelProto) -> Subject:
    """Open a graph that has passed the gate. Raises Refused, also where a row's answer depends on other rows."""
    model = own_copy(upload)
    entry = read_entry(model.graph)
    if entry.dtype != "float32" or len(model.graph.output) != 1:
        raise Refused(
            "A property is about one float32 input and one output; export the model so.", code="unsupported_signature"
        )
    prune(model, list(model.graph.output))
    name, rows = model.graph.output[0].name, probes.rows(entry.shape)
    trial = try_out(model, entry, rows)
    outputs = _row_size(trial, rows, name)
    entry = replace(entry, batch=trial.batch)
    number_values(model)
    name = model.graph.output[0].name
    session = Session(model, model.graph.input[0].name, entry.shape, entry.batch)
    found, unbounded = _plan(model, entry)
    return Subject(session, name, found, unbounded, entry.shape, int(np.prod(entry.shape)), outputs)


def _row_size(trial: UploadedGraph, rows: NDArray[np.float32], name: str) -> int:
    """Count the numbers of an output that belong to one row. Raises Refused where they belong to several."""
    size = trial.batch or 2
    answer = np.asarray(trial.answers(padded(rows[:size], size))[name])
    if not answer.ndim or len(answer) != size:
        raise unsupported(
            f"The output has the shape {list(answer.shape)} for {size} rows; a property is about a graph that gives out"
            " [batch, ...], a row for each row of its input."
        )
    check_rows_stand_alone(trial, rows, name, trial.ask(rows, name))
    return int(answer[0].size)


def _plan(model: onnx.ModelProto, entry: Entry) -> tuple[BoundPlan | None, str]:
    try:
        return plan(model, entry.shape, entry.batch, "cpu"), ""
    except Unsupported as unsupported:
        return None, f"Bounds are not implemented for {unsupported}."
