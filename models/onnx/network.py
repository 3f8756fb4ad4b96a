"""An uploaded graph, understood: one input, one output, logits where they can be had, any batch size where that holds.

    upload -> functions inlined, ZipMap removed -> cut to one output -> batch freed -> preprocessing and logits

Nothing is believed of a graph that was not tried: each step is held against the file as it came, on probe rows.
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper, inliner

from algorithms.errors import ModelFault
from algorithms.seam.access import Rows
from models.cards import Meaning, ModelInput, ModelOutput, Preprocessing, Reads
from models.device import Device
from models.onnx import probes
from models.onnx.graph import ML, number_values, opset, producers, prune, state_opset
from models.onnx.naming import names_by_column
from models.onnx.rebuilding.batches import free
from models.onnx.rebuilding.border import INPUT, preprocess
from models.onnx.rebuilding.rebuild import Rebuilt, rebuild
from models.onnx.rebuilding.scalers import in_plain_ops
from models.onnx.session import Session
from models.onnx.signature import Entry, Exit, read_entry, read_exit, unsupported
from models.onnx.uploaded import TOLERANCE, UploadedGraph, check_finite, check_rows_stand_alone, close, try_out


@dataclass(frozen=True)
class Network:
    """A network is a graph ready to be asked, and what its card says of it."""

    rebuilt: Rebuilt
    input: ModelInput
    opset: int
    is_half: bool  # computes in float16 somewhere: only so exact
    classes_named: tuple[str, ...] | None  # by column

    @property
    def output(self) -> ModelOutput:
        return self.rebuilt.output

    @property
    def reads(self) -> Reads:
        return self.rebuilt.reads

    def session(self, device: Device = "cpu") -> Session:
        return Session(self.rebuilt.model, INPUT, self.input.shape, self.input.batch, device)

    def scores_alone(self) -> ModelProto:
        """Copy the graph, cut to its scores: a soft-max or a label branch need not be differentiable."""
        return self._cut_to(self.rebuilt.scores)

    def bounded_alone(self) -> ModelProto:
        """Copy the graph, cut to what bounds are about."""
        return self._cut_to(self.rebuilt.bounded)

    def _cut_to(self, output: str | None) -> ModelProto:
        model = ModelProto()
        model.CopyFrom(self.rebuilt.model)
        prune(model, [value for value in model.graph.output if value.name == output])
        number_values(model)
        return model


def read(upload: ModelProto, preprocessing: Preprocessing | None, told: Meaning | None = None) -> Network:
    """Understand a model that has passed the gate. `told`: what its output is by the caller. Raises Refused."""
    model = _own_copy(upload)
    entry = read_entry(model.graph)
    rows = probes.rows(entry.shape)
    with np.errstate(over="ignore"):
        fed = preprocess(rows, entry.shape, preprocessing).astype(entry.dtype)
    trial = try_out(model, entry, fed)
    entry = replace(entry, batch=trial.batch)
    few = trial.batch or 2
    exit_ = read_exit(trial.answers(np.resize(fed, (few, *entry.shape))), few, told)
    seen = trial.ask(fed, exit_.name)
    check_rows_stand_alone(trial, fed, exit_.name, seen)
    check_finite(seen)
    prune(model, [v for v in model.graph.output if v.name == exit_.name])
    in_plain_ops(model)
    model, entry = _freed(model, entry, exit_, fed, seen)
    rebuilt = _checked(model, entry, exit_, rows, seen, preprocessing)
    return Network(
        rebuilt=rebuilt,
        input=ModelInput(name=entry.name, dtype=entry.dtype, shape=entry.shape, batch=entry.batch),
        opset=opset(model),
        is_half="float16" in (entry.dtype, seen.dtype.name),
        classes_named=names_by_column(upload, exit_.name, rebuilt.output.classes),
    )


def _own_copy(upload: ModelProto) -> ModelProto:
    model = ModelProto()
    model.CopyFrom(inliner.inline_local_functions(upload) if upload.functions else upload)
    model.ir_version = max(model.ir_version, 4)  # before, every initializer had to be listed as an input too
    state_opset(model)
    _read_before_zipmap(model)
    prune(model, list(model.graph.output))
    return model


def _read_before_zipmap(model: ModelProto) -> None:
    """scikit-learn's ZipMap wraps the probabilities in dictionaries: read the array it is given."""
    makers = producers(model.graph)
    for value in model.graph.output:
        node = makers.get(value.name)
        if node is not None and node.domain == ML and node.op_type == "ZipMap":
            value.CopyFrom(helper.make_tensor_value_info(node.input[0], TensorProto.FLOAT, None))


def _freed(
    model: ModelProto, entry: Entry, exit_: Exit, fed: NDArray[Any], seen: NDArray[Any]
) -> tuple[ModelProto, Entry]:
    """Any batch size, if the freed model answers as the file does in its own size; else the file as it is."""
    if entry.batch is None:
        return model, entry
    freed, any_size = free(model, entry.name, entry.batch), replace(entry, batch=None)
    try:
        trial = UploadedGraph(freed, any_size)
        same = close(trial.ask(fed, exit_.name), seen, seen) and close(trial.ask(fed[:3], exit_.name), seen[:3], seen)
    except ModelFault:
        same = False
    return (freed, any_size) if same else (model, entry)


def _checked(
    model: ModelProto,
    entry: Entry,
    exit_: Exit,
    rows: Rows,
    seen: NDArray[Any],
    preprocessing: Preprocessing | None,
) -> Rebuilt:
    """With the logits if they decide as the file does, else without. Raises Refused where neither does."""
    for past_tail in (True, False):
        rebuilt = rebuild(model, entry, exit_, seen, preprocessing, past_tail=past_tail)
        if _decides_alike(rebuilt, entry, rows, seen):
            return rebuilt
    raise unsupported("The model answers otherwise once it is cut to its scores; export it with that one output.")


def _decides_alike(rebuilt: Rebuilt, entry: Entry, rows: Rows, seen: NDArray[Any]) -> bool:
    """Whether it answers as the file did, and its scores decide so wherever the margin is more than rounding."""
    try:
        session = Session(rebuilt.model, INPUT, entry.shape, entry.batch)
        answer = session.ask(rows, rebuilt.answer)
        scores = answer if rebuilt.scores is None else session.ask(rows, rebuilt.scores)
    except ModelFault:
        return False
    if rebuilt.scores is None:
        return bool((answer == seen.reshape(-1)).all())
    own = seen.reshape(len(seen), -1)
    if not close(answer[:, -own.shape[1] :], own, seen):
        return False
    top = np.sort(answer, axis=1)
    clear = np.isfinite(answer).all(axis=1) & (top[:, -1] - top[:, -2] > TOLERANCE * np.abs(top[:, -1]))
    return bool((scores[clear].argmax(axis=1) == answer[clear].argmax(axis=1)).all())
