"""What goes in and what comes out of an uploaded graph, and whether that is a classifier of single rows."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import GraphProto, TensorProto

from algorithms.errors import Refused
from models.cards import Meaning
from models.onnx.graph import inputs_without_initializers

FLOATS: dict[int, str] = {TensorProto.FLOAT: "float32", TensorProto.FLOAT16: "float16", TensorProto.DOUBLE: "float64"}

OutputForm = Literal["scores", "binary", "labels"]
Answers = dict[str, Any]  # output name -> array (n, ...), or whatever else onnxruntime made of it


def unsupported(detail: str) -> Refused:
    return Refused(detail, code="unsupported_signature")


@dataclass(frozen=True)
class Entry:
    """An entry is the one input of a graph; `batch` None: any number of rows."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    batch: int | None


@dataclass(frozen=True)
class Exit:
    """An exit is the one output that is read: scores [N, K], one number a row for two classes, or labels [N]."""

    name: str
    form: OutputForm
    told: Meaning | None = None  # what the caller says that it is


def read_entry(graph: GraphProto) -> Entry:
    """Read the one float input [batch, fixed sizes...]. Raises Refused(unsupported_signature) for anything else."""
    inputs = inputs_without_initializers(graph)
    if len(inputs) != 1:
        raise unsupported(f"The model has {len(inputs)} inputs; export it with exactly one, of floats [batch, ...].")
    value = inputs[0]
    tensor = value.type.tensor_type
    if tensor.elem_type not in FLOATS:
        raise unsupported(f"The input is {kind_of(value)}; export the model with one float input [batch, ...].")
    if not tensor.HasField("shape") or len(tensor.shape.dim) < 2:
        raise unsupported("The input has no batch axis; export the model with an input of shape [batch, ...].")
    batch, *row = tensor.shape.dim
    if not all(d.dim_value > 0 for d in row):
        raise unsupported("The input has axes of no fixed size; export it with fixed sizes for all but the batch axis.")
    return Entry(value.name, FLOATS[tensor.elem_type], tuple(d.dim_value for d in row), batch.dim_value or None)


def kind_of(value: onnx.ValueInfoProto) -> str:
    if value.type.WhichOneof("value") != "tensor_type":
        return "no tensor"
    names: dict[int, str] = {number: name.lower() for name, number in TensorProto.DataType.items()}
    return names.get(value.type.tensor_type.elem_type, "unknown")


def read_exit(answers: Answers, rows: int, told: Meaning | None = None) -> Exit:
    """Choose by what the model really answered to `rows` rows, and by what the caller told of it.

    Raises Refused(unsupported_signature).
    """
    floats = {n: a for n, a in answers.items() if isinstance(a, np.ndarray) and a.dtype.kind == "f"}
    whole = {n: a for n, a in answers.items() if isinstance(a, np.ndarray) and a.dtype.kind in "iu"}
    scores = [n for n, a in floats.items() if a.ndim == 2 and len(a) == rows and a.shape[1] >= 2]
    single = [n for n, a in floats.items() if a.shape in ((rows,), (rows, 1))]
    labels = [n for n, a in whole.items() if a.shape in ((rows,), (rows, 1))]
    kinds: tuple[tuple[list[str], OutputForm], ...] = ((scores, "scores"), (single, "binary"), (labels, "labels"))
    for candidates, form in kinds:
        if told is not None and (told == "label") != (form == "labels"):
            continue
        if len(candidates) == 1:
            return Exit(candidates[0], form, told)
        if candidates:
            raise unsupported(
                f"The model has {len(candidates)} outputs that could be the classes' scores ({_listing(answers)});"
                " export it with one."
            )
    if told == "label" and (scores or single):
        raise unsupported(
            f"No output is a label, whole numbers [N]: found {_listing(answers)}. Leave output=label out."
        )
    if told is not None and labels:
        raise unsupported(f"The output is a label, and not a {told}: found {_listing(answers)}. Leave output out.")
    raise unsupported(
        f"No output has an axis of classes: found {_listing(answers)}. Export the model with one float output [N, K]"
        " (K >= 2 classes), or [N] or [N, 1] for two classes; flatten what lies behind the classes."
    )


def _listing(answers: Answers) -> str:
    return ", ".join(_description(answer) for answer in answers.values())


def _description(answer: Any) -> str:
    if not isinstance(answer, np.ndarray):
        return "no tensor"
    return f"{answer.dtype.name if answer.dtype.kind in 'fiub' else 'text'} {['N', *answer.shape[1:]]}".replace("'", "")


def many_classes(answer: NDArray[Any]) -> Literal["probabilities", "logits"]:
    """Say what (n, K) scores are: rows that sum to one, with nothing negative, are probabilities."""
    sums = np.abs(answer.sum(axis=1, dtype=np.float64) - 1)
    return "probabilities" if (answer >= 0).all() and (sums < 1e-3).all() else "logits"
