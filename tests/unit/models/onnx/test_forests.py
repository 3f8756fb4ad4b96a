"""What is nothing but votes of trees has no gradients by its kind; trees in front of a network hide some."""

from collections.abc import Callable

import numpy as np
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper
from onnx.helper import make_node as node

from models.onnx.forests import is_forest

D, K = 2, 2


def stump(target: str, out: str) -> object:
    """Two trees of one split each, one number out of each."""
    return node(
        "TreeEnsembleRegressor",
        [target],
        [out],
        domain="ai.onnx.ml",
        n_targets=K,
        nodes_treeids=[0, 0, 0, 1, 1, 1],
        nodes_nodeids=[0, 1, 2, 0, 1, 2],
        nodes_featureids=[0, 0, 0, 1, 0, 0],
        nodes_modes=["BRANCH_LEQ", "LEAF", "LEAF"] * 2,
        nodes_values=[0.5, 0.0, 0.0] * 2,
        nodes_truenodeids=[1, 0, 0] * 2,
        nodes_falsenodeids=[2, 0, 0] * 2,
        nodes_hitrates=[1.0] * 6,
        nodes_missing_value_tracks_true=[0] * 6,
        target_treeids=[0, 0, 1, 1],
        target_nodeids=[1, 2, 1, 2],
        target_ids=[0, 1, 0, 1],
        target_weights=[1.0] * 4,
    )


def model(*nodes: object) -> ModelProto:
    constants = [
        numpy_helper.from_array(np.eye(K, dtype=np.float32), "w"),
        numpy_helper.from_array(np.float32(0.5), "half"),
    ]
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", D])
    y = helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", K])
    return helper.make_model(helper.make_graph(list(nodes), "g", [x], [y], constants))


GRAPHS: dict[str, tuple[Callable[[], ModelProto], bool]] = {
    "trees": (lambda: model(stump("x", "y")), True),
    "trees behind a linear map": (lambda: model(node("MatMul", ["x", "w"], ["z"]), stump("z", "y")), True),
    "trees, weighed and squashed": (
        lambda: model(
            stump("x", "a"),
            stump("x", "b"),
            node("Mul", ["b", "half"], ["c"]),
            node("Add", ["a", "c"], ["z"]),
            node("Softmax", ["z"], ["y"]),
        ),
        True,
    ),
    "trees that feed a layer": (lambda: model(stump("x", "z"), node("MatMul", ["z", "w"], ["y"])), False),
    "trees beside the rows": (lambda: model(stump("x", "z"), node("Add", ["z", "x"], ["y"])), False),
    "a network": (lambda: model(node("MatMul", ["x", "w"], ["y"])), False),
    "a rounded network": (lambda: model(node("Floor", ["x"], ["z"]), node("MatMul", ["z", "w"], ["y"])), False),
    "a foreign operator between": (lambda: model(stump("x", "z"), node("Relu", ["z"], ["y"])), False),
    "constants": (lambda: model(node("Identity", ["w"], ["y"])), False),
}


@pytest.mark.parametrize("name", GRAPHS)
def test_a_forest_is_nothing_but_votes_of_trees(name: str) -> None:
    made, expected = GRAPHS[name]
    assert is_forest(made(), "y") == expected
