"""An uploaded graph, understood: one input, one output, logits where they can be had, any batch size where that holds.

    upload -> functions inlined, ZipMap removed -> cut to one output -> batch freed -> preprocessing and logits

Nothing is believed of a graph that was not tried: each step is held against the file as it came, on probe rows.
"""

from dataclasses import dataclass, replace

import numpy as np
from onnx import ModelProto

from algorithms.errors import ModelFault
from algorithms.seam.access import Rows
from models.cards import Meaning, ModelInput, ModelOutput, Preprocessing, Reads
from models.device import Device
from models.onnx import probes
from models.onnx.codes import coded, codes
from models.onnx.copying import own_copy
from models.onnx.graph import casts_to_half, number_values, opset, prune
from models.onnx.naming import names_by_column
from models.onnx.outputs.exits import read_exit
from models.onnx.rebuilding.border import INPUT, postprocess, preprocess
from models.onnx.rebuilding.checking import freed
from models.onnx.rebuilding.rebuild import Rebuilt
from models.onnx.rebuilding.scalers import in_plain_ops
from models.onnx.serving import CutFile, Served
from models.onnx.session import Session
from models.onnx.signature import read_entry
from models.onnx.uploaded import check_finite, check_rows_stand_alone, close, quantizes_dynamically, try_out


@dataclass(frozen=True)
class Network:
    """A network is a graph ready to be asked, and what its card says of it."""

    served: Served
    input: ModelInput
    rows: Rows  # ordinary ones that it takes
    opset: int
    is_half: bool  # computes in float16 somewhere: only so exact
    classes_named: tuple[str, ...] | None  # by column

    @property
    def rebuilt(self) -> Rebuilt:
        return self.served.rebuilt

    @property
    def output(self) -> ModelOutput:
        return self.rebuilt.output

    @property
    def reads(self) -> Reads:
        return self.rebuilt.reads

    def session(self, device: Device = "cpu") -> Session:
        """Open the graph to be asked: on a card where it answers ordinary rows as on the processor, else on that."""
        own = self._session("cpu")
        if device == "cpu":
            return own
        names = [output.name for output in self.rebuilt.model.graph.output]
        try:
            other = self._session(device)
            pairs = zip(other.ask_each(self.rows, names), own.ask_each(self.rows, names), strict=True)
            return other if all(close(found, expected, expected) for found, expected in pairs) else own
        except ModelFault:
            return own

    def _session(self, device: Device) -> Session:
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
    model = own_copy(upload)
    entry = read_entry(model.graph)
    found = codes(model, entry)
    rows = probes.rows(entry.shape)
    if found:
        rows = postprocess(coded(preprocess(rows, entry.shape, preprocessing), found), rows, preprocessing)
    with np.errstate(over="ignore"):
        fed = preprocess(rows, entry.shape, preprocessing).astype(entry.dtype)
    trial = try_out(model, entry, fed)
    entry = replace(entry, batch=trial.batch)
    exit_ = read_exit(model, trial.all_answers(fed), len(fed), told)
    seen = {name: trial.ask(fed, name) for name in exit_.outputs}
    for name, whole in seen.items():
        check_rows_stand_alone(trial, fed, name, whole)
    check_finite(seen[exit_.name])
    prune(model, [v for v in model.graph.output if v.name in exit_.outputs])
    in_plain_ops(model)
    if not quantizes_dynamically(model):
        model, entry = freed(model, entry, fed, seen)
    served = CutFile(model, entry, preprocessing, rows, fed, seen).serve(exit_)
    return Network(
        served=served,
        input=ModelInput(
            name=entry.name, dtype=entry.dtype, shape=entry.shape, batch=entry.batch, whole_features=tuple(found)
        ),
        rows=rows,
        opset=opset(model),
        is_half="float16" in (entry.dtype, seen[exit_.name].dtype.name) or casts_to_half(model),
        classes_named=names_by_column(upload, exit_.name, served.rebuilt.output.classes, served.rebuilt.names),
    )
