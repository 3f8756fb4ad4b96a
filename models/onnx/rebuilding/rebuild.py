"""The graph we ask: preprocessing before, logits or two classes behind, and only what they need between."""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper

from models.cards import ModelOutput, Preprocessing, Reads
from models.onnx.classes import ClassNames
from models.onnx.graph import Editor, prune
from models.onnx.outputs.labels import ClassLabels
from models.onnx.rebuilding.border import lead_in
from models.onnx.rebuilding.odds import SHOWN, odds
from models.onnx.rebuilding.tails import lead_round
from models.onnx.rebuilding.widening import (
    NUMBERS,
    Precision,
    as_rounded,
    both_probabilities,
    column,
    held,
    pad_zero_column,
)
from models.onnx.signature import Entry, Exit, many_classes, unsupported


@dataclass(frozen=True)
class Rebuilt:
    """A rebuilt graph takes rows [N or batch, *shape] float32 in the caller's units and gives `answer` and `scores`.

    `answer` decides exactly as the file does: [N, K] whose argmax is the label, or the labels [N] themselves. `scores`
    [N, K] are the logits before a soft-max or sigmoid, else the same as `answer`; None where there are only labels.
    Both are held in `number`.
    `label`: the labels [N] that the file gives out beside its scores, which then decide instead.
    """

    model: ModelProto
    output: ModelOutput
    reads: Reads
    answer: str
    scores: str | None
    slack: float | None = 0.0  # a margin of the scores that `answer` shows in float32 too; None: there is none
    label: str | None = None
    names: ClassNames | None = None  # as the labels call the classes; None: 0, 1, 2, ...
    number: Precision = "float32"

    @property
    def bounded(self) -> str | None:
        """Name what bounds are about: the scores, or the answer where no margin of them is enough for its label."""
        return self.scores if self.slack is not None else self.answer


def rebuild(
    model: ModelProto,
    entry: Entry,
    exit_: Exit,
    seen: NDArray[Any],
    preprocessing: Preprocessing | None,
    *,
    labels: ClassLabels | None = None,
    past_tail: bool = True,
) -> Rebuilt:
    """Rebuild a graph. `seen`: its answers to the probe rows. `past_tail`: look for the logits before a soft-max.

    `labels`: what the labels say, where the exit has any. Raises Refused(unsupported_signature) where what was told of
    its scores cannot be.
    """
    made = ModelProto()
    made.CopyFrom(model)
    editor = Editor(made)
    names = labels.names if labels else None
    label = _labels(editor, exit_.label, names) if exit_.label else None
    if labels is not None and exit_.names_classes:
        found = _classes_named(editor, exit_, labels)
    elif exit_.number is not None:
        found = _one_number(editor, exit_.number, seen, past_tail=past_tail)
    else:
        found = _scores(editor, exit_, seen, past_tail=past_tail)
    lead_in(editor, entry, preprocessing)
    wanted = dict.fromkeys(name for name in (found.answer, found.scores) if name is not None)
    are_labels = found.output.kind == "labels"
    outputs = [_label_declared(name, names) if are_labels else declared(name, found.number) for name in wanted]
    prune(made, outputs + ([_label_declared(label, names)] if label else []))
    return replace(found, label=label, names=names)


def declared(name: str, number: Precision) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, NUMBERS[number], None)


def _label_declared(name: str, names: ClassNames | None) -> onnx.ValueInfoProto:
    is_text = names is not None and isinstance(names[0], str)
    return helper.make_tensor_value_info(name, TensorProto.STRING if is_text else TensorProto.INT64, None)


def _labels(editor: Editor, name: str, names: ClassNames | None) -> str:
    flat = editor.node("Reshape", [name, editor.constant(np.array([-1], np.int64), "shape")])
    return flat if names and isinstance(names[0], str) else editor.node("Cast", [flat], to=TensorProto.INT64)


def _first_ranked(editor: Editor, name: str) -> str:
    return editor.node("Gather", [name, editor.constant(np.array([0], np.int64), "first")], axis=1)


def _classes_named(editor: Editor, exit_: Exit, labels: ClassLabels) -> Rebuilt:
    name = _first_ranked(editor, exit_.name) if exit_.form == "ranking" else exit_.name
    output = ModelOutput(name=exit_.name, classes=labels.classes, kind="labels")
    reads = Reads(output=exit_.name, as_="label", because=labels.because if exit_.told is None else "told")
    return Rebuilt(editor.model, output, reads, _labels(editor, name, labels.names), None)


def _number(seen: NDArray[Any]) -> Precision:
    """Scores that the file serves in float64 stay so: rounded to float32, classes that it tells apart would tie."""
    return "float64" if seen.dtype == np.float64 else "float32"


def _served(editor: Editor, name: str, seen: NDArray[Any]) -> str:
    """The file's own numbers."""
    is_half = seen.dtype == np.float16
    return held(editor, as_rounded(editor, name, (-1, *seen.shape[1:])) if is_half else name, _number(seen))


def _scores(editor: Editor, exit_: Exit, seen: NDArray[Any], *, past_tail: bool) -> Rebuilt:
    """A number for each class. Where the graph does not tell whether they are probabilities, `seen` does."""
    own, number = _served(editor, exit_.name, seen), _number(seen)
    tail = lead_round(editor, exit_.name) if past_tail else None
    kind = tail.kind if tail else many_classes(seen)
    output = ModelOutput(name=exit_.name, classes=seen.shape[1], kind=kind)
    reads = Reads(output=exit_.name, as_=kind, because="graph")
    if exit_.told is not None:
        if (exit_.told == "probability") != (kind == "probabilities"):
            raise unsupported(f"The scores cannot be what output={exit_.told} says: they are {kind}. Leave output out.")
        reads = Reads(output=exit_.name, as_="decision" if exit_.told == "decision" else kind, because="told")
    if tail is None:
        return Rebuilt(editor.model, output, reads, own, own, number=number)
    slack = SHOWN if tail.squash == "row" else None
    return Rebuilt(editor.model, output, reads, own, held(editor, tail.logits, number), slack, number=number)


def _one_number(editor: Editor, reads: Reads, seen: NDArray[Any], *, past_tail: bool) -> Rebuilt:
    """One number a row: of a logit or a decision class 1 has what is above 0, of a probability what is above 1/2."""
    own, number = column(editor, _served(editor, reads.output, seen)), _number(seen)
    if reads.as_ != "probability":
        answer = pad_zero_column(editor, own)
        output = ModelOutput(name=reads.output, classes=2, kind="logits")
        return Rebuilt(editor.model, output, reads, answer, answer, number=number)
    output = ModelOutput(name=reads.output, classes=2, kind="probabilities")
    answer = both_probabilities(editor, own, number)
    found = odds(editor, reads.output, number) if past_tail else None
    if found is None:
        return Rebuilt(editor.model, output, reads, answer, answer, number=number)
    return Rebuilt(editor.model, output, reads, answer, found.scores, found.slack, number=number)
