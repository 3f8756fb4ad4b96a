"""Which output speaks where a label stands beside scores: the scores if the label agrees, else the label.

What is served is the label, so labels are always the file's own. Scores are offered where their largest is that label
on all rows looked at, or where a threshold or another order of columns makes it so.
"""

from dataclasses import dataclass

import numpy as np

from models.onnx.outputs.holding import Explanation, differing, explain
from models.onnx.outputs.looking import Looked

EXPORT = "export scores whose largest is the label"
CONFIDENCE = (
    "The number beside the label is no score of a class: a confidence does not tell which class it is of. Export the"
    " scores of all classes."
)
TELL = "or upload it with output=logit or output=probability to have the scores judged instead of the label"


@dataclass(frozen=True)
class Judgment:
    """A judgment tells whether the scores may speak for the label, and what must be done to them first."""

    differs: bool  # on some row the label is not the largest of the scores
    explanation: Explanation | None  # what is to be done to the scores, (): nothing; None: they are withheld
    reason: str = ""  # why they are


def judge(looked: Looked, *, is_settled: bool, is_one: bool) -> Judgment:
    """Judge by the rows looked at. `is_settled`: the graph makes the label of scores. `is_one`: one number a row."""
    differs = differing(looked)
    if not differs.any():
        if is_settled or len(np.unique(looked.labels)) > 1:
            return Judgment(False, ())
        return Judgment(
            False,
            None,
            "All rows that were tried have one label, so that nothing tells whether the largest score is the label"
            f" elsewhere too; {EXPORT}, without the label.",
        )
    explanation = explain(looked)
    if explanation is not None:
        return Judgment(True, explanation)
    reason = (
        f"The label is not the largest of the scores on {int(differs.sum())} of {len(differs)} rows that were tried,"
        f" and neither a threshold nor another order of the columns explains it; {EXPORT}, {TELL}."
    )
    return Judgment(True, None, CONFIDENCE if is_one else reason)


def miscounted(labels: int, *, is_one: bool, columns: int) -> str:
    """Say why scores are withheld where the label tells other classes apart than they have columns."""
    if is_one:
        return CONFIDENCE
    return (
        f"The label tells {labels} classes apart, and the scores have {columns} columns; {EXPORT}, one column a class."
    )
