"""Trying the file as it came, in its own dtype and batch size: the truth that every rebuilt graph is held against."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto

from algorithms.errors import ModelFault, Refused
from models.onnx.graph import ONNX, kinds_of_numbers
from models.onnx.session import padded, run, start
from models.onnx.signature import Answers, Entry, unsupported

DYNAMIC = "DynamicQuantizeLinear"
ODD = {
    number: name.lower()
    for name, number in TensorProto.DataType.items()
    if name == "BFLOAT16" or name.startswith(("FLOAT8", "FLOAT4", "COMPLEX"))
}
TOLERANCE = 1e-4  # relative to the largest score: room for another order of summation, none for another function
HALF_TOLERANCE = 1e-2  # the same where float16 is in play


class UploadedGraph:
    """An uploaded graph is a file as it came, ready to be asked. `batch`: rows it takes at a time; None: any number."""

    def __init__(self, model: ModelProto, entry: Entry) -> None:
        self._session = start(model)
        self._entry = entry.name
        self._names = [output.name for output in model.graph.output]
        self.batch = entry.batch

    def answers(self, rows: NDArray[Any]) -> Answers:
        """Answer every output, for exactly these rows."""
        found = run(self._session, self._entry, rows)
        return {name: _by_row(answer, len(rows)) for name, answer in zip(self._names, found, strict=True)}

    def all_answers(self, rows: NDArray[Any]) -> Answers:
        """Answer every output for any number of rows; one that has no row for each of them is left as it came last."""
        size = self.batch or len(rows)
        parts = [self.answers(padded(rows[i : i + size], size)) for i in range(0, len(rows), size)]
        return {name: _joined([part[name] for part in parts], size, len(rows)) for name in self._names}

    def ask(self, rows: NDArray[Any], output: str) -> NDArray[Any]:
        """Answer one output, rows taken in the file's own size."""
        size = self.batch or len(rows)
        parts = [rows[i : i + size] for i in range(0, len(rows), size)]
        found = [run(self._session, self._entry, padded(part, size), [output])[0] for part in parts]
        return np.concatenate([_by_row(each, size)[: len(part)] for each, part in zip(found, parts, strict=True)])


def _by_row(answer: Any, rows: int) -> Any:
    """Labels that a look-up by an ArgMax leaves lying, [1, N], as [N]."""
    lies = isinstance(answer, np.ndarray) and answer.shape == (1, rows) and rows > 1 and answer.dtype.kind != "f"
    return answer[0] if lies else answer


def _joined(parts: list[Any], size: int, rows: int) -> Any:
    if all(isinstance(part, np.ndarray) and part.ndim and len(part) == size for part in parts):
        return np.concatenate(parts)[:rows]
    return parts[-1]


def try_out(model: ModelProto, entry: Entry, rows: NDArray[Any]) -> UploadedGraph:
    """Start a file that is known to run, and find out how many rows it takes at a time.

    A batch axis said to be free may be held to one row by what lies behind it, or must be: dynamic quantization takes
    one scale for all rows of a call, and a row alone is the only one that is always answered the same.

    Raises Refused(model_invalid), Refused(unsupported_signature).
    """
    is_dynamic = quantizes_dynamically(model)
    if is_dynamic and entry.batch not in (None, 1):
        raise unsupported(
            f"The model is quantized dynamically ({DYNAMIC}) and exported for {entry.batch} rows at a time, so the"
            " answer to a row depends on the others. Export it with a free batch axis, to be asked row by row, or"
            " quantize it statically (QDQ)."
        )
    try:
        trial = UploadedGraph(model, entry)
    except ModelFault as fault:
        raise Refused(_cannot_load(model), code="model_invalid") from fault
    sizes = (1,) if is_dynamic else (None, 1)
    for batch in (entry.batch,) if entry.batch is not None else sizes:
        trial.batch = batch
        try:
            trial.answers(padded(rows[: batch or 2], batch or 2))
        except ModelFault:
            continue
        return trial
    raise Refused(
        f"The model does not run on ordinary rows of its shape {list(entry.shape)}, neither uniform in [0, 1] nor"
        " standard normal, nor with categories put where it is seen to look for them. If it refuses categories that it"
        ' does not know, let it ignore them (OneHotEncoder(handle_unknown="ignore")) and export it again; else check'
        " the export.",
        code="model_invalid",
    )


def _cannot_load(model: ModelProto) -> str:
    """It passed the checker, so what is left is mostly a type or an operator that onnxruntime has no code for."""
    odd = sorted(kinds_of_numbers(model) & ODD.keys())
    if not odd:
        return (
            "onnxruntime cannot load the model, though the ONNX checker passes it: onnxruntime.InferenceSession(path)"
            " tells why. Export it with operators and types that run on a CPU."
        )
    held = ", ".join(ODD[number] for number in odd)
    return (
        f"The model computes in {held}, which onnxruntime does not run on a CPU; convert it to float32 or float16"
        " before the export (in torch: model.float())."
    )


def quantizes_dynamically(model: ModelProto) -> bool:
    """Tell whether a graph takes the scale of a quantization from whatever is in a call."""
    return any(node.op_type == DYNAMIC and node.domain in ONNX for node in model.graph.node)


def check_rows_stand_alone(trial: UploadedGraph, rows: NDArray[Any], output: str, whole: NDArray[Any]) -> None:
    """Refuse a file whose answer to a row depends on its company or on chance: batch statistics, dropout."""
    again = trial.ask(rows[::-1][:5], output)[::-1]
    if not close(again, whole[-5:], whole):
        raise unsupported(
            "The answer to a row depends on the other rows of its batch, or on chance; export the model in evaluation"
            " mode (no training-mode batch normalization or dropout, no soft-max over the batch axis, no scale taken"
            " from the whole batch)."
        )


def check_finite(whole: NDArray[Any]) -> None:
    """Refuse a file of which no probe row has finite scores: Refused(model_invalid)."""
    if whole.dtype.kind == "f" and not np.isfinite(whole.reshape(len(whole), -1)).all(axis=1).any():
        raise Refused(
            "The scores are not finite on any ordinary input, neither uniform in [0, 1] nor standard normal; check the"
            " weights and the export.",
            code="model_invalid",
        )


def close(found: NDArray[Any], expected: NDArray[Any], scores: NDArray[Any]) -> bool:
    """Tell whether two answers are equal, numbers up to rounding, measured by the largest of `scores`."""
    if scores.dtype.kind != "f":
        return found.shape == expected.shape and bool((found == expected).all())
    half = np.float16 in (found.dtype, expected.dtype, scores.dtype)
    limit = (HALF_TOLERANCE if half else TOLERANCE) * scale(scores)
    return found.shape == expected.shape and np.allclose(found, expected, rtol=0.0, atol=limit, equal_nan=True)


def scale(scores: NDArray[Any]) -> float:
    """Find the largest finite score, at least one."""
    finite = np.abs(scores[np.isfinite(scores)].astype(np.float64))
    return max(1.0, float(finite.max(initial=0.0)))
