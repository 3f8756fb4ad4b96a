"""Files made by hand for each weakness that runtimes and formats are known to have.

Many are what the gate refuses; beside them stands what only running can tell, which the runner's limits must hold.
"""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from onnx import ModelProto, TensorProto, helper

from tests.unit.models.onnx.test_gate import (
    REFUSED,
    as_bytes,
    branch,
    constant,
    dense,
    function,
    model,
    node,
    relu,
    subgraph,
    value,
)

Build = Callable[[], ModelProto | bytes]


def of_running_size(op: str) -> ModelProto:
    """A size that is computed of the input: 10^9 times its sum."""
    nodes = [
        node("ReduceSum", ["x"], ["sum"], keepdims=0),
        node("Mul", ["sum", "huge"], ["size"]),
        node("Cast", ["size"], ["number"], to=TensorProto.INT64),
        node("Unsqueeze", ["number", "first"], ["shape"]),
        node(op, ["shape"] if op == "ConstantOfShape" else ["x", "shape"], ["bomb"]),
        node("ReduceMax", ["bomb"], ["most"], keepdims=0),
        node("Add", ["x", "most"], ["y"]),
    ]
    return model(*nodes, tensors=[constant("huge", 1e9, dtype=np.float32), constant("first", 0)])


def tiled(depth: int) -> ModelProto:
    """Twice as much at every node: 2^depth rows of what came in."""
    doubled = [node("Concat", [f"v{n}", f"v{n}"], [f"v{n + 1}"], axis=1) for n in range(depth)]
    ends = [node("ReduceMax", [f"v{depth}"], ["most"], axes=[1], keepdims=1), node("Add", ["x", "most"], ["y"])]
    return model(node("Identity", ["x"], ["v0"]), *doubled, *ends)


def slow(rounds: int) -> ModelProto:
    """Products of 1,024 x 1,024: two thousand million multiplications each, of a file of a few KB."""
    nodes = [
        node("ReduceSum", ["x"], ["sum"], keepdims=0),
        node("Expand", ["sum", "square"], ["m0"]),
        *(node("MatMul", [f"m{n}", f"m{n}"], [f"m{n + 1}"]) for n in range(rounds)),
        node("ReduceMax", [f"m{rounds}"], ["most"], keepdims=0),
        node("Add", ["x", "most"], ["y"]),
    ]
    return model(*nodes, tensors=[constant("square", 1024, 1024)])


def tree(children: list[int]) -> ModelProto:
    """A forest whose nodes point where they like."""
    count = len(children)
    classifier = node(
        "TreeEnsembleClassifier", ["x"], ["label", "y"], domain="ai.onnx.ml",
        nodes_treeids=[0] * count, nodes_nodeids=list(range(count)), nodes_featureids=[0] * count,
        nodes_values=[0.5] * count, nodes_modes=["BRANCH_LEQ"] * (count - 1) + ["LEAF"],
        nodes_truenodeids=children, nodes_falsenodeids=children, nodes_missing_value_tracks_true=[0] * count,
        class_treeids=[0], class_nodeids=[count - 1], class_ids=[0], class_weights=[1.0], classlabels_int64s=[0, 1],
        post_transform="NONE",
    )  # fmt: skip
    outputs = [value("label", ("N",), TensorProto.INT64), value("y", ("N", 2))]
    return model(classifier, outputs=outputs, domains=["ai.onnx.ml"])


def svm() -> ModelProto:
    """Fewer numbers than it says it has."""
    machine = node(
        "SVMClassifier", ["x"], ["label", "y"], domain="ai.onnx.ml", classlabels_ints=[0, 1],
        coefficients=[1.0], kernel_params=[0.5, 0.0, 3.0], kernel_type="RBF", rho=[0.0],
        support_vectors=[1.0] * 3, vectors_per_class=[10**6, 10**6], post_transform="NONE",
    )  # fmt: skip
    outputs = [value("label", ("N",), TensorProto.INT64), value("y", ("N", 2))]
    return model(machine, outputs=outputs, domains=["ai.onnx.ml"])


def nested_branches(depth: int) -> ModelProto:
    inner = leaf = subgraph(node("Identity", ["x"], ["z"]))
    for _ in range(depth):
        inner = subgraph(node("If", ["true"], ["z"], then_branch=inner, else_branch=leaf))
    built = branch()
    built.graph.node[0].attribute[0].g.CopyFrom(inner)
    return built


def sparse_and_fine() -> ModelProto:
    built = dense()
    tensor = helper.make_sparse_tensor(constant("s", 1.0, dtype=np.float32), constant("i", 2), [4])
    built.graph.sparse_initializer.append(tensor)
    return built


def described(size: int) -> ModelProto:
    built = dense()
    for number in range(100):
        built.metadata_props.add(key=f"k{number}", value="v" * (size // 100))
    return built


def named(length: int, *, count: int = 1) -> ModelProto:
    """A row of nodes, the names of whose values are as long."""
    names = ["x", *(f"{number:06}".ljust(length, "n") for number in range(count)), "y"]
    return model(*(node("Relu", [a], [b]) for a, b in pairwise(names)))


# The class of weakness -> files that have it. A text is a case of the gate's own table.
WEAKNESSES: dict[str, list[str | Build]] = {
    "external data, read and written": [name for name in REFUSED if name.startswith("external")],
    "chains and fans of functions": [name for name in REFUSED if "function" in name],
    "shape bombs, constant": [name for name, (code, _) in REFUSED.items() if code == "shape_bomb"],
    "shape bombs at run time": [
        lambda: of_running_size("ConstantOfShape"),
        lambda: of_running_size("Expand"),
        lambda: tiled(20),
        lambda: tiled(40),
    ],
    "loops without an end": ["an endless Loop", "a Loop under the domain's other name", lambda: slow(30_000)],
    "sizes that overflow": [name for name, (code, _) in REFUSED.items() if code == "tensor_size_mismatch"],
    "memory of kernels": [
        lambda: tree([1, 0, 0]),
        lambda: tree([1, 2**31, 0]),
        lambda: tree([-5, -6, 0]),
        svm,
        lambda: model(node("Conv", ["x", "x"], ["y"], kernel_shape=[2**31 - 1])),
        lambda: model(node("MaxPool", ["x"], ["y"], kernel_shape=[2**30], strides=[2**30])),
        lambda: model(node("Gather", ["x", "far"], ["y"], axis=1), tensors=[constant("far", 2**40)]),
        lambda: model(node("Reshape", ["x", "s"], ["y"]), tensors=[constant("s", -1, 2**62)]),
        lambda: model(node("TopK", ["x", "k"], ["y", "i"]), tensors=[constant("k", 2**62)]),
        lambda: model(node("Pad", ["x", "p"], ["y"]), tensors=[constant("p", 0, 2**40, 0, -(2**40))]),
        lambda: model(node("NonMaxSuppression", ["x", "x"], ["y"])),
    ],
    "protobuf": ["nesting beyond protobuf", "a name that is not UTF-8", lambda: nested_branches(25)],
    "foreign operators": [name for name, (code, _) in REFUSED.items() if code == "custom_domain_forbidden"],
    "where nobody looks": [
        sparse_and_fine,
        "external in the training graph",
        "a foreign domain in the training graph",
        lambda: model(relu(), functions=[function("unused", relu())], domains=["own"]),
    ],
    "names and words without measure": [
        lambda: described(900_000),
        lambda: named(900_000),
        lambda: named(100, count=9_000),
        lambda: named(3_000_000),
        "2 MiB of description",
    ],
    "signatures that lie": [name for name, (code, _) in REFUSED.items() if code == "unsupported_signature"],
}


def handmade() -> dict[str, bytes]:
    """name -> file"""
    files = {f"gate, {name}": as_bytes(build()) for name, (_, build) in REFUSED.items()}
    for weakness, cases in WEAKNESSES.items():
        own = (case for case in cases if not isinstance(case, str))
        files |= {f"{weakness} {number}": as_bytes(build()) for number, build in enumerate(own)}
    return files
