"""What goes in and what comes out of an uploaded graph, and whether that is a classifier of single rows."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import GraphProto, TensorProto

from algorithms.errors import Refused
from models.cards import Meaning, Reads
from models.onnx.graph import inputs_without_initializers

FLOATS: dict[int, str] = {TensorProto.FLOAT: "float32", TensorProto.FLOAT16: "float16", TensorProto.DOUBLE: "float64"}

OutputForm = Literal["scores", "binary", "labels", "ranking"]
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
    """An exit is the output that is read.

    Scores are [N, K], binary is one number a row for two classes, labels are [N], and a ranking [N, k] has the
    likeliest class first. `label`: the output beside scores that names the class of each row.
    """

    name: str
    form: OutputForm
    told: Meaning | None = None  # what the caller says that it is
    label: str | None = None
    number: Reads | None = None  # what one number a row means, once that was found out

    @property
    def names_classes(self) -> bool:
        """Tell whether the output names classes and has no scores of them."""
        return self.form in ("labels", "ranking")

    @property
    def outputs(self) -> tuple[str, ...]:
        """Name all outputs that are read."""
        return (self.name,) if self.label is None else (self.name, self.label)


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


def listing(answers: Answers, rows: int) -> str:
    """Describe what outputs answered to `rows` rows by type and shape, in words of our own."""
    return ", ".join(_description(answer, rows) for answer in answers.values())


def _description(answer: Any, rows: int) -> str:
    if not isinstance(answer, np.ndarray):
        return "no tensor"
    axes = ["N" if i == 0 and size == rows else str(size) for i, size in enumerate(answer.shape)]
    return f"{answer.dtype.name if answer.dtype.kind in 'fiub' else 'text'} [{', '.join(axes)}]"


def many_classes(answer: NDArray[Any]) -> Literal["probabilities", "logits"]:
    """Say what (n, K) scores are: rows that sum to one, with nothing negative, are probabilities.

    Rows that are all the same sum to one by chance as well as by a soft-max.
    """
    if (answer == answer[:1]).all():
        return "logits"
    sums = np.abs(answer.sum(axis=1, dtype=np.float64) - 1)
    return "probabilities" if (answer >= 0).all() and (sums < 1e-3).all() else "logits"
