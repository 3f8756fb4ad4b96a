"""Which of a file's outputs are a classifier's answer: scores, one number, labels, or the first of a ranking.

Outputs are told apart by what the file really answered, not by their names. A label beside scores is kept beside them:
which of the two speaks is decided when they are held against each other (`speaking.py`).
"""

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto

from models.cards import Meaning
from models.onnx.classes import label_maker, named_classes
from models.onnx.graph import attribute
from models.onnx.outputs.numbering import numbered
from models.onnx.reading.walking import ranges
from models.onnx.signature import Answers, Exit, listing, unsupported

SAME = 1e-4  # probabilities and the soft-max of logits beside them


@dataclass(frozen=True)
class Found:
    """Found are the outputs that may be an answer, by what they look like."""

    scores: list[str]
    single: list[str]
    labels: list[str]
    rankings: list[str]
    mixed: list[str]  # a class beside its confidence, in one row


def read_exit(model: ModelProto, answers: Answers, rows: int, told: Meaning | None = None) -> Exit:
    """Choose by what the model really answered to `rows` rows, and by what the caller told of it.

    Raises Refused(unsupported_signature).
    """
    found = _sorted(model, answers, rows)
    if any(_is_turned(model, name) for name in found.rankings):
        raise unsupported(
            "The ranking of the classes does not begin with the likeliest; export it sorted, with the largest first."
        )
    if found.rankings:
        exit_ = Exit(_only(found.rankings, "rankings of the classes", answers), "ranking")
    else:
        exit_ = _unranked(model, found, answers, rows)
        _refuse_other_marks(exit_, answers)
    if told is None:
        return exit_
    if told == "label":
        if exit_.label is not None:
            exit_ = Exit(exit_.label, "labels")
        if not exit_.names_classes and exit_.form != "binary":
            raise unsupported(f"No output is a label, [N]: found {listing(answers, rows)}. Leave output=label out.")
    elif exit_.names_classes:
        raise unsupported(f"The output is a label, and not a {told}: found {listing(answers, rows)}. Leave output out.")
    return replace(exit_, told=told)


def _unranked(model: ModelProto, found: Found, answers: Answers, rows: int) -> Exit:
    label = _label(model, found, answers)
    for candidates, form in ((found.scores, "scores"), (found.single, "binary")):
        name = _scores(model, candidates, label, answers)
        if name is not None:
            return Exit(name, "scores" if form == "scores" else "binary", label=label)
        if candidates:
            break
    if label is not None:
        return Exit(label, "labels")
    if found.mixed:
        raise unsupported(
            "The output joins the number of a class with other numbers, which are no scores of classes. Export the"
            " scores of all classes, or the class alone, as a whole number [N]."
        )
    raise unsupported(
        f"No output has an axis of classes: found {listing(answers, rows)}. Export the model with one float output"
        " [N, K] (K >= 2 classes), or [N] or [N, 1] for two classes; flatten what lies behind the classes."
    )


def _refuse_other_marks(exit_: Exit, answers: Answers) -> None:
    """Refuse a file that marks one class of each row, [N, K], and another than its largest score."""
    scores = answers[exit_.name]
    for a in answers.values():
        is_marks = isinstance(a, np.ndarray) and a.dtype.kind in "iub" and a.shape == scores.shape and a.ndim == 2
        is_one_each = is_marks and a.shape[1] > 1 and set(np.unique(a)) == {0, 1} and (a.sum(axis=1) == 1).all()
        if is_one_each and (a.argmax(axis=1) != scores.argmax(axis=1)).any():
            raise unsupported(
                "Beside the scores, whole numbers [N, K] mark another class than the largest score; export the class as"
                " a label [N], or the scores alone."
            )


def _sorted(model: ModelProto, answers: Answers, rows: int) -> Found:
    arrays = {name: a for name, a in answers.items() if isinstance(a, np.ndarray) and a.ndim and len(a) == rows}
    column = ((rows,), (rows, 1))
    floats = {name: a for name, a in arrays.items() if a.dtype.kind == "f"}
    lists = {name: a for name, a in arrays.items() if a.dtype.kind in "iu" and a.ndim == 2 and a.shape[1] > 1}
    rankings = [name for name, a in lists.items() if _ranks(model, name, a, list(floats.values()))]
    ranked = {lists[name].shape for name in rankings}  # the shape of their values
    labels = [name for name, a in arrays.items() if a.shape in column and (a.dtype.kind in "iub" or _is_text(a))]
    ordered = {name for name in floats if _is_made_by(model, name, "TopK")}  # class 0 would be whatever is first
    wide = [n for n, a in floats.items() if a.ndim == 2 and a.shape[1] > 1]
    mixed = [name for name in wide if _is_mixed(model, name)]
    scores = [n for n in wide if n not in ordered and n not in mixed and floats[n].shape not in ranked]
    single = [name for name, a in floats.items() if a.shape in column]
    if not labels:  # Spark writes its predictions as floats, and torch rounds to floats
        whole = [name for name in single if len(np.unique(a := answers[name])) > 1 and (a == a.round()).all()]
        if scores or len(single) > len(whole):
            labels, single = whole, [name for name in single if name not in whole]
    if any(answers[name].shape[1] > 2 for name in scores):
        labels = [name for name in labels if answers[name].dtype.kind != "b"]  # true or false names none of three
    return Found(scores, single, labels, rankings, mixed)


def _is_mixed(model: ModelProto, name: str) -> bool:
    """Tell whether an output joins the class that was chosen with other numbers, such as its confidence."""
    joined = label_maker(model, name)
    if joined is None or joined.op_type != "Concat":
        return False
    are_chosen = [_is_chosen(model, part) for part in joined.input]
    return any(are_chosen) and not all(are_chosen)


def _is_chosen(model: ModelProto, value: str) -> bool:
    node = label_maker(model, value)
    if node is None or node.op_type not in ("ArgMax", "ArgMin", "TopK"):
        return False
    return node.op_type != "TopK" or ranges(model)[value].is_whole  # the places of TopK, not its values


def _is_text(a: NDArray[Any]) -> bool:
    return a.dtype.kind in "OU" and all(isinstance(each, str) for each in a.ravel().tolist())


def _ranks(model: ModelProto, name: str, listed: NDArray[Any], floats: list[NDArray[Any]]) -> bool:
    """Tell whether a row lists classes from the likeliest on: as TopK does, or beside values that only fall."""
    if _is_made_by(model, name, "TopK"):
        return True
    differ = all(len(set(row)) == len(row) for row in listed.tolist())
    falls = any(a.shape == listed.shape and (np.diff(a, axis=1) <= 0).all() for a in floats)
    return differ and falls and listed.min() >= 0 and len(np.unique(listed[:, 0])) > 1


def _is_made_by(model: ModelProto, name: str, op: str) -> bool:
    maker = label_maker(model, name)
    return maker is not None and maker.op_type == op


def _is_turned(model: ModelProto, name: str) -> bool:
    maker = label_maker(model, name)
    if maker is None or maker.op_type != "TopK":
        return False
    return not (attribute(maker, "largest", 1) and attribute(maker, "sorted", 1))


def _label(model: ModelProto, found: Found, answers: Answers) -> str | None:
    """Of several outputs that may be labels take the one whose classes the graph names, or that scores agree with."""
    if len(found.labels) < 2:
        return found.labels[0] if found.labels else None
    named = [name for name in found.labels if _has_classes(model, name)]
    if len(named) != 1 and len(found.scores) == 1:
        named = [name for name in found.labels if _agree(model, found.scores[0], name, answers)]
    return _only(named if len(named) == 1 else found.labels, "labels", answers)


def _has_classes(model: ModelProto, name: str) -> bool:
    return named_classes(model, name) is not None or _is_made_by(model, name, "ArgMax")


def _agree(model: ModelProto, scores: str, label: str, answers: Answers) -> bool:
    largest = answers[scores].reshape(len(answers[scores]), -1).argmax(axis=1)
    return bool((numbered(answers[label], named_classes(model, label)) == largest).all())


def _scores(model: ModelProto, names: list[str], label: str | None, answers: Answers) -> str | None:
    """Of several outputs that may be scores take the logits of the others; else the ones that agree with the label."""
    bases = [n for n in names if not any(_is_made_of(answers[n], answers[other]) for other in names if other != n)]
    if len(bases) <= 1:
        return next(iter(bases or names), None)
    if label is None:
        return _only(bases, "the classes' scores", answers)
    agreeing = [name for name in bases if _agree(model, name, label, answers)]
    return agreeing[0] if len(agreeing) == 1 else None


def _is_made_of(p: NDArray[Any], z: NDArray[Any]) -> bool:
    """Tell whether p is the soft-max of z, its logarithm, or its sigmoid: (n, K), (n,) or (n, 1)."""
    if p.size != z.size or (p == z).all():
        return False
    p, z = (a.reshape(len(a), -1).astype(np.float64) for a in (p, z))
    with np.errstate(over="ignore", invalid="ignore"):
        shifted = z - z.max(axis=1, keepdims=True)
        log_softmax = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        made = [1 / (1 + np.exp(-z)), *([np.exp(log_softmax), log_softmax] if p.shape[1] > 1 else [])]
        return any(np.allclose(p, each, rtol=0.0, atol=SAME * max(1.0, float(np.abs(each).max()))) for each in made)


def _only(names: list[str], what: str, answers: Answers) -> str:
    if len(names) == 1:
        return names[0]
    found = listing({name: answers[name] for name in names}, len(answers[names[0]]))
    raise unsupported(
        f"The model has {len(names)} outputs that could be {what} ({found}), and none is made of another; export it"
        " with one."
    )
