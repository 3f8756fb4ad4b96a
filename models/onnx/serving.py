"""Which output speaks for a file, found out by asking: the label that it serves, and scores where they say the same.

exit -> rebuilt with scores and label -> looked at near the label's threshold -> scores kept, mended or left out
"""

from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto

from algorithms.errors import ModelFault, Refused
from algorithms.seam.access import Labels, Rows, Scores
from models.cards import Preprocessing, Reads
from models.onnx.graph import Editor, as_outputs, prune
from models.onnx.outputs.judging import TELL, judge, miscounted
from models.onnx.outputs.labels import ClassLabels, chooser, read_labels
from models.onnx.outputs.looking import Looked, ladder, look, rows_near
from models.onnx.outputs.numbering import numbered
from models.onnx.outputs.penalties import are_penalties
from models.onnx.reading.number import FAR, HALF, ROUNDED, far_rows, read_number
from models.onnx.rebuilding.border import INPUT, restore
from models.onnx.rebuilding.checking import checked
from models.onnx.rebuilding.explaining import explained
from models.onnx.rebuilding.odds import odds
from models.onnx.rebuilding.rebuild import Rebuilt
from models.onnx.rebuilding.settling import settle
from models.onnx.session import Session
from models.onnx.signature import Answers, Entry, Exit, unsupported
from models.onnx.uploaded import UploadedGraph

NOT_MADE = (
    "The label is served, and the graph does not show that it is the largest of these scores: bounds of them would"
    " prove nothing of it. Export the scores without the label."
)
GUESSED = (
    "The output is taken for a probability because it never left [0, 1], which its graph does not explain; upload the"
    " model with output=probability, or output=logit or decision if it is that, to have its bounds."
)

NEVER = (
    "The model answers one number a row, within [0, 1] by its graph, and on no row that was tried, near or far, was it"
    " {side} 1/2, as a confidence never is: all rows would be of one class. Upload it with output=probability if it is"
    " the probability of class 1, or export a number for each class."
)
PENALTIES = (
    "The numbers of the classes are distances or losses by the graph, of which the smallest is the best, and the label"
    " is read as the largest. Export them with the sign changed, or upload the model with output=logit if the largest"
    " is meant."
)


@dataclass(frozen=True)
class Served:
    """What is served of a file: the graph that is asked, and how its label stands to its scores."""

    rebuilt: Rebuilt
    label_differs: bool | None = None  # from the largest score on some row; None: no label stands beside scores
    without_scores: str = ""  # why scores are withheld, where there are some
    without_bounds: str = ""  # why bounds would prove nothing of the label


@dataclass(frozen=True)
class CutFile:
    """A cut file is an upload cut to its exit, and what it answered to the probe rows."""

    model: ModelProto
    entry: Entry
    preprocessing: Preprocessing | None
    rows: Rows  # in the caller's units
    fed: Rows  # the same as the file takes them
    seen: Answers

    def serve(self, exit_: Exit) -> Served:
        """Decide what speaks. Raises Refused where the outputs cannot be read."""
        if exit_.form == "binary":
            exit_ = self._read(exit_)
        if exit_.names_classes:
            is_shown = exit_.number is not None and exit_.number.because == "graph"
            return Served(self._rebuilt(exit_, ClassLabels(2, None, "graph") if is_shown else self._labels(exit_.name)))
        if exit_.label is None:
            if exit_.form == "scores" and exit_.told is None and are_penalties(self.model, exit_.name):
                raise unsupported(PENALTIES)
            is_guessed = exit_.number is not None and exit_.number.because == "values"
            return Served(self._rebuilt(exit_, None), without_bounds=GUESSED if is_guessed else "")
        return self._held(exit_, exit_.label)

    def _read(self, exit_: Exit) -> Exit:
        """Find out what one number a row means; it may be a label itself."""
        near, told = self.seen[exit_.name], exit_.told
        try:
            number = read_number(self.model, exit_.name, near, lambda: self._far(exit_.name), told)
        except Refused:
            if exit_.label is None or told is not None:
                raise
            number = Reads(output=exit_.name, as_="decision", because="graph")  # if the label beside it bears that out
        if number.as_ == "probability" and number.because == "graph" and exit_.label is None:
            self._check_both_sides(exit_.name, near)
        if number.as_ != "label":
            return replace(exit_, number=number)
        return Exit(exit_.name, "labels", told, number=number) if exit_.label is None else Exit(exit_.label, "labels")

    def _check_both_sides(self, name: str, near: NDArray[Any]) -> None:
        """Refuse a number within [0, 1] that is never on one side of 1/2, unless the graph shows the logit behind it.

        Its range says nothing of the larger of p and 1 - p. Raises Refused.
        """
        made = ModelProto()
        made.CopyFrom(self.model)
        if odds(Editor(made), name, "float32") is not None:
            return
        far = self._far(name)
        seen = np.concatenate([near.ravel(), far])
        sides = {"below": seen > HALF - ROUNDED, "above": seen < HALF + ROUNDED}
        side = next((side for side, are_all in sides.items() if are_all.all()), None)
        if len(far) and side is not None:
            raise unsupported(NEVER.format(side=side))

    def _far(self, name: str) -> NDArray[Any]:
        """Ask for one number on rows far from the ordinary ones, as far as the file takes them."""
        trial, found = UploadedGraph(self.model, self.entry), [np.zeros(0, np.float32)]
        for factor in FAR:
            with suppress(ModelFault):
                found.append(trial.ask(far_rows(self.fed, factor), name).ravel())
        return np.concatenate(found)

    def _held(self, exit_: Exit, label: str) -> Served:
        """The label is served, unless the caller told otherwise; scores beside it are held against it."""
        is_one = exit_.form == "binary"
        classes = 2 if is_one else self.seen[exit_.name].shape[1]
        try:
            labels = self._labels(label)
        except Refused as refused:
            if exit_.told is None:
                raise unsupported(f"{refused.detail[:-1]}, {TELL}.") from refused
            return Served(self._rebuilt(replace(exit_, label=None), None), label_differs=True)
        if labels.because == "values" and labels.classes < classes:
            labels = replace(labels, classes=classes)
        fits = labels.classes == classes
        if exit_.told is not None and not fits:
            return Served(self._rebuilt(replace(exit_, label=None), None), label_differs=True)
        if not fits:
            reason = miscounted(labels.classes, is_one=is_one, columns=classes)
            return Served(self._rebuilt(Exit(label, "labels"), labels), None if is_one else True, reason)
        rebuilt = self._rebuilt(exit_, labels)
        settled = settle(self.model, label, exit_.name, rebuilt)
        verdict = judge(
            self._looked(rebuilt, is_settled=settled is not None), is_settled=settled is not None, is_one=is_one
        )
        if exit_.told is not None:
            return Served(self._rebuilt(replace(exit_, label=None), None), verdict.differs)
        if verdict.explanation is None:
            return Served(self._rebuilt(Exit(label, "labels"), labels), verdict.differs, verdict.reason)
        if settled is not None and not verdict.differs:
            return Served(replace(rebuilt, slack=settled.slack), label_differs=False)
        rebuilt = replace(rebuilt, reads=Reads(output=label, as_="label", because=labels.because))
        return Served(explained(rebuilt, verdict.explanation), verdict.differs, without_bounds=NOT_MADE)

    def _rebuilt(self, exit_: Exit, labels: ClassLabels | None) -> Rebuilt:
        return checked(self.model, self.entry, exit_, self.rows, self.seen, self.preprocessing, labels)

    def _labels(self, name: str) -> ClassLabels:
        columns = self._columns(chooser(self.model, name))
        return read_labels(self.model, name, columns, self.seen[name], lambda: self._more(name))

    def _columns(self, value: str | None) -> int | None:
        """Count the columns of a value within the graph by asking for it; None where there is none [N, K]."""
        if value is None:
            return None
        cut = ModelProto()
        cut.CopyFrom(self.model)
        prune(cut, as_outputs(cut, [value]))
        try:
            found = UploadedGraph(cut, self.entry).ask(self.fed[: self.entry.batch or 2], value)
        except ModelFault:
            return None
        return found.shape[1] if found.ndim == 2 else None

    def _more(self, name: str) -> NDArray[Any]:
        """Ask for labels on rows near the graph's own numbers, and on larger ones."""
        trial, found = UploadedGraph(self.model, self.entry), [self.seen[name][:0]]
        for rows in (rows_near(self.model, self.entry.shape), ladder(self.entry.shape)[0]):
            with suppress(ModelFault):  # a file need not take every number
                found += [trial.ask(rows.astype(self.entry.dtype), name)] if len(rows) else []
        return np.concatenate(found)

    def _looked(self, rebuilt: Rebuilt, *, is_settled: bool) -> Looked:
        """Look at label and scores together: where the graph settles them, ordinary rows are enough."""
        session = Session(rebuilt.model, INPUT, self.entry.shape, self.entry.batch)
        outputs = [str(rebuilt.label), str(rebuilt.scores)]

        def ask(rows: Rows) -> tuple[Labels, Scores]:
            label, scores = session.ask_each(rows, outputs)
            return numbered(label, rebuilt.names), scores

        shape = self.entry.shape
        if is_settled:
            return Looked(*ask(self.rows))
        drawn = (rows_near(self.model, shape), *ladder(shape))
        return look(ask, [self.rows, *(restore(rows, shape, self.preprocessing) for rows in drawn)])
