"""The graph we ask: preprocessing before, logits or two classes behind, and only what they need between."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper

from models.cards import ModelOutput, OutputKind, Preprocessing, Reads
from models.onnx.classes import ClassNames
from models.onnx.graph import Editor, prune
from models.onnx.outputs.labels import Labels
from models.onnx.rebuilding.border import lead_in
from models.onnx.rebuilding.tails import Tail, is_clamped, lead_round
from models.onnx.rebuilding.widening import as_float32, both_probabilities, column, pad_zero_column
from models.onnx.signature import Entry, Exit, many_classes

# A margin of logits that no soft-max or sigmoid in float32 rounds to a tie: of the largest p and another, at most as
# large, the ratio is exp(-margin), off by a few roundings (2^-24) of exp, sum and quotient; a sigmoid of onnxruntime is
# off by 4e-7 where its slope is 1/4.
SHOWN = 1e-5


@dataclass(frozen=True)
class Rebuilt:
    """A rebuilt graph takes rows [N or batch, *shape] float32 in the caller's units and gives `answer` and `scores`.

    `answer` decides exactly as the file does: [N, K] whose argmax is the label, or the labels [N] themselves. `scores`
    [N, K] are the logits before a soft-max or sigmoid, else the same as `answer`; None where there are only labels.
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
    labels: Labels | None = None,
    past_tail: bool = True,
) -> Rebuilt:
    """Rebuild a graph. `seen`: its answers to the probe rows. `past_tail`: look for the logits before a soft-max.

    `labels`: what the labels say, where the exit has any.
    """
    made = ModelProto()
    made.CopyFrom(model)
    editor = Editor(made)
    kind: OutputKind = "labels"
    scores: str | None = None
    slack: float | None = 0.0
    names = labels.names if labels else None
    label = _labels(editor, exit_.label, names) if exit_.label else None
    if labels is not None and exit_.names_classes:
        name = _first_ranked(editor, exit_.name) if exit_.form == "ranking" else exit_.name
        answer, classes = _labels(editor, name, names), labels.classes
    else:
        tail = lead_round(editor, exit_.name) if past_tail else None
        answer, scores, kind = _scores(editor, exit_, seen, tail)
        slack = _slack(tail, exit_)
        classes = seen.shape[1] if exit_.form == "scores" else 2
    lead_in(editor, entry, preprocessing)
    wanted = dict.fromkeys(name for name in (answer, scores) if name is not None)
    outputs = [_declared(name, names if kind == "labels" else kind) for name in wanted]
    prune(made, outputs + ([_declared(label, names)] if label else []))
    output = ModelOutput(name=exit_.name, classes=classes, kind=kind)
    return Rebuilt(made, output, _reads(exit_, kind, labels), answer, scores, slack, label, names)


def _reads(exit_: Exit, kind: OutputKind, labels: Labels | None) -> Reads:
    one = {"logits": "logit", "probabilities": "probability"}
    meaning = "label" if kind == "labels" else one[kind] if exit_.form == "binary" else kind
    because = "told" if exit_.told is not None else labels.because if labels and exit_.names_classes else "graph"
    return Reads.model_validate({"output": exit_.name, "as": meaning, "because": because})


def _declared(name: str, kind: OutputKind | ClassNames | None) -> onnx.ValueInfoProto:
    """Declare scores by their kind, labels by their names."""
    is_text = isinstance(kind, tuple) and isinstance(kind[0], str)
    number = TensorProto.FLOAT if isinstance(kind, str) else TensorProto.STRING if is_text else TensorProto.INT64
    return helper.make_tensor_value_info(name, number, None)


def _labels(editor: Editor, name: str, names: ClassNames | None) -> str:
    flat = editor.node("Reshape", [name, editor.constant(np.array([-1], np.int64), "shape")])
    return flat if names and isinstance(names[0], str) else editor.node("Cast", [flat], to=TensorProto.INT64)


def _first_ranked(editor: Editor, name: str) -> str:
    return editor.node("Gather", [name, editor.constant(np.array([0], np.int64), "first")], axis=1)


def _scores(editor: Editor, exit_: Exit, seen: NDArray[Any], tail: Tail | None) -> tuple[str, str, OutputKind]:
    """-> (answer, scores, what the file gives). Where the graph does not tell, `seen` does."""
    own = as_float32(editor, exit_.name)
    logits = None if tail is None else as_float32(editor, tail.logits)
    if exit_.form == "scores":
        return own, logits or own, tail.kind if tail else many_classes(seen)
    kind = tail.kind if tail else _one_number(editor, exit_, seen)
    own = column(editor, own)
    answer = both_probabilities(editor, own) if kind == "probabilities" else pad_zero_column(editor, own)
    return answer, answer if logits is None else pad_zero_column(editor, column(editor, logits)), kind


def _slack(tail: Tail | None, exit_: Exit) -> float | None:
    """One number alone is held against 1/2, where a sigmoid is steepest."""
    if tail is None:
        return 0.0
    return SHOWN if tail.squash == "row" or (tail.squash == "number" and exit_.form == "binary") else None


def _one_number(editor: Editor, exit_: Exit, seen: NDArray[Any]) -> OutputKind:
    """A logit, unless the graph clamps it: small logits, too, may lie in [0, 1] on every probe row."""
    if exit_.told is not None:
        return "probabilities" if exit_.told == "probability" else "logits"
    within = bool(((seen >= 0) & (seen <= 1)).all())
    return "probabilities" if within and is_clamped(editor, exit_.name) else "logits"
