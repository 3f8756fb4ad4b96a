"""Nodes are sorted as onnx2fx sorts them, to the node, and in a time that grows with their number alone."""

import importlib.util
import random

import numpy as np
import pytest
from onnx import NodeProto, TensorProto, helper
from onnx2fx import graph_builder

from models.onnx.gradients import conversion, sorting
from tests.unit.models.onnx.test_gate import dense


@pytest.fixture(scope="module")
def theirs():
    """Their own function, from a module loaded afresh: ours stands in its place in the one that is used."""
    spec = importlib.util.find_spec("onnx2fx.graph_builder")
    fresh = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(fresh)
    assert fresh._topological_sort is not sorting.in_order
    return fresh._topological_sort


def some_nodes(seed: int, *, with_a_body: bool = False, is_whole: bool = True) -> list[NodeProto]:
    """Nodes of up to four inputs and three outputs, in any order; some read a value twice, or nothing."""
    rng = random.Random(seed)
    names, nodes = ["x", "w"], []
    for number in range(rng.randrange(1, 60)):
        reads = [rng.choice([*names, ""]) for _ in range(rng.randrange(5))]
        gives = [f"v{number}.{place}" for place in range(rng.randrange(1, 4))]
        node = helper.make_node("Some", reads, gives)
        if with_a_body and rng.random() < 0.2:
            inner = helper.make_node("Some", [rng.choice(names)], ["inside"])
            out = helper.make_tensor_value_info("inside", TensorProto.FLOAT, [1])
            node.attribute.append(helper.make_attribute("body", helper.make_graph([inner], "body", [], [out])))
        nodes.append(node)
        names += gives
    rng.shuffle(nodes)
    return nodes if is_whole else nodes[1:]


@pytest.mark.parametrize("seed", range(40))
def test_the_order_is_theirs(theirs, seed):
    for options in ({}, {"with_a_body": True}, {"is_whole": False}):
        nodes = some_nodes(seed, **options)
        ours = sorting.in_order(nodes, {"x"}, {"w"})
        assert list(map(id, ours)) == list(map(id, theirs(list(nodes), {"x"}, {"w"})))


def test_it_is_what_converts(monkeypatch):
    assert graph_builder._topological_sort is sorting.in_order
    asked = []
    monkeypatch.setattr(graph_builder, "_topological_sort", lambda *given: asked.append(given) or given[0])
    conversion.convert(dense(), np.zeros((1, 4), np.float32))
    assert len(asked) == 1
