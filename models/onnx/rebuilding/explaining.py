"""Scores made such that the largest is the label that is served: columns in order, one class held to a threshold."""

from dataclasses import replace

import numpy as np
from onnx import ModelProto

from models.onnx.graph import Editor, prune
from models.onnx.outputs.holding import Explanation, Order
from models.onnx.rebuilding.rebuild import Rebuilt, declared


def explained(rebuilt: Rebuilt, explanation: Explanation) -> Rebuilt:
    """Rebuild once more, with scores that are what an explanation makes of them."""
    if not explanation or rebuilt.scores is None:
        return rebuilt
    made = ModelProto()
    made.CopyFrom(rebuilt.model)
    editor, scores, answer = Editor(made), rebuilt.scores, rebuilt.answer
    for step in explanation:
        if isinstance(step, Order):
            scores = editor.node("Gather", [scores, editor.constant(np.array(step.columns), "order")], axis=1)
        else:
            ahead = np.array([[0.0, step.ahead]], rebuilt.number)
            scores = editor.node("Sub", [scores, editor.constant(ahead, "ahead")])
    is_order = all(isinstance(step, Order) for step in explanation)
    if is_order and answer == rebuilt.scores:
        answer = scores
    kept = [value for value in made.graph.output if value.name in (answer, rebuilt.label)]
    prune(made, [*kept, declared(scores, rebuilt.number)])
    return replace(rebuilt, model=made, scores=scores, answer=answer)
