"""Rebuilt graphs held against the file as it came, on probe rows: nothing is believed of a graph that was not tried."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto

from algorithms.errors import ModelFault
from algorithms.seam.access import Rows
from models.cards import Preprocessing
from models.onnx.outputs.labels import ClassLabels
from models.onnx.rebuilding.batches import free
from models.onnx.rebuilding.border import INPUT
from models.onnx.rebuilding.rebuild import Rebuilt, rebuild
from models.onnx.session import Session
from models.onnx.signature import Answers, Entry, Exit, unsupported
from models.onnx.uploaded import TOLERANCE, UploadedGraph, close


def freed(model: ModelProto, entry: Entry, fed: NDArray[Any], seen: Answers) -> tuple[ModelProto, Entry]:
    """Free the batch size if the freed model answers as the file does in its own size; else leave the file as it is."""
    if entry.batch is None:
        return model, entry
    freed, any_size = free(model, entry.name, entry.batch), replace(entry, batch=None)
    try:
        trial = UploadedGraph(freed, any_size)
        same = all(
            close(trial.ask(fed, name), whole, whole) and close(trial.ask(fed[:3], name), whole[:3], whole)
            for name, whole in seen.items()
        )
    except ModelFault:
        same = False
    return (freed, any_size) if same else (model, entry)


def checked(
    model: ModelProto,
    entry: Entry,
    exit_: Exit,
    rows: Rows,
    seen: Answers,
    preprocessing: Preprocessing | None,
    labels: ClassLabels | None,
) -> Rebuilt:
    """Rebuild with the logits if they decide as the file does, else without. Raises Refused where neither does."""
    for past_tail in (True, False):
        rebuilt = rebuild(model, entry, exit_, seen[exit_.name], preprocessing, labels=labels, past_tail=past_tail)
        if _decides_alike(rebuilt, entry, exit_, rows, seen):
            return rebuilt
    raise unsupported("The model answers otherwise once it is cut to its scores; export it with that one output.")


def _decides_alike(rebuilt: Rebuilt, entry: Entry, exit_: Exit, rows: Rows, seen: Answers) -> bool:
    """Whether it answers as the file did, and its scores decide so wherever the margin is more than rounding."""
    try:
        session = Session(rebuilt.model, INPUT, entry.shape, entry.batch)
        answer = session.ask(rows, rebuilt.answer)
        scores = answer if rebuilt.scores is None else session.ask(rows, rebuilt.scores)
        label = None if rebuilt.label is None else session.ask(rows, rebuilt.label)
    except ModelFault:
        return False
    given = seen[exit_.name]
    if rebuilt.scores is None:
        return bool((answer == given.reshape(len(given), -1)[:, 0]).all())
    if label is not None and not (label == seen[str(exit_.label)].reshape(-1)).all():
        return False
    own = given.reshape(len(given), -1)
    if not close(answer[:, -own.shape[1] :], own, given):
        return False
    top = np.sort(answer, axis=1)
    clear = np.isfinite(answer).all(axis=1) & (top[:, -1] - top[:, -2] > TOLERANCE * np.abs(top[:, -1]))
    return bool((scores[clear].argmax(axis=1) == answer[clear].argmax(axis=1)).all())
