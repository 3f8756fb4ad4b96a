"""The graph we ask: preprocessing before, logits or two classes behind, and only what they need between."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import ModelProto, TensorProto, helper

from models.cards import ModelOutput, OutputKind, Preprocessing, Reads
from models.onnx.counting import count_labels
from models.onnx.graph import Editor, prune
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
    """

    model: ModelProto
    output: ModelOutput
    reads: Reads
    answer: str
    scores: str | None
    slack: float | None = 0.0  # a margin of the scores that `answer` shows in float32 too; None: there is none

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
    past_tail: bool = True,
) -> Rebuilt:
    """Rebuild a graph. `seen`: its answers to the probe rows. `past_tail`: look for the logits before a soft-max."""
    made = ModelProto()
    made.CopyFrom(model)
    editor = Editor(made)
    kind: OutputKind = "labels"
    scores: str | None = None
    slack: float | None = 0.0
    if exit_.form == "labels":
        answer, classes = _labels(editor, exit_.name), count_labels(model, exit_.name, seen)
    else:
        tail = lead_round(editor, exit_.name) if past_tail else None
        answer, scores, kind = _scores(editor, exit_, seen, tail)
        slack = _slack(tail, exit_)
        classes = seen.shape[1] if exit_.form == "scores" else 2
    lead_in(editor, entry, preprocessing)
    wanted = dict.fromkeys(name for name in (answer, scores) if name is not None)
    prune(made, [_declared(name, kind) for name in wanted])
    output = ModelOutput(name=exit_.name, classes=classes, kind=kind)
    return Rebuilt(made, output, _reads(exit_, kind), answer, scores, slack)


def _reads(exit_: Exit, kind: OutputKind) -> Reads:
    one = {"logits": "logit", "probabilities": "probability"}
    meaning = "label" if kind == "labels" else one[kind] if exit_.form == "binary" else kind
    because = "graph" if exit_.told is None else "told"
    return Reads.model_validate({"output": exit_.name, "as": meaning, "because": because})


def _declared(name: str, kind: OutputKind) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, TensorProto.INT64 if kind == "labels" else TensorProto.FLOAT, None)


def _labels(editor: Editor, name: str) -> str:
    flat = editor.node("Reshape", [name, editor.constant(np.array([-1], np.int64), "shape")])
    return editor.node("Cast", [flat], to=TensorProto.INT64)


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
