"""Surgery on an ONNX graph: find producers, cut to one output, add a node, bypass another.

Every function works on a model of its own: `read` in `network.py` copies the upload once.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

ONNX = ("", "ai.onnx")  # two spellings of the standard domain
ML = "ai.onnx.ml"

Producers = dict[str, NodeProto]


def producers(graph: GraphProto) -> Producers:
    """Map the name of each value to the node that makes it."""
    return {name: node for node in graph.node for name in node.output if name}


def consumed(node: NodeProto) -> Iterator[str]:
    """Name what a node reads, what its subgraphs take from outside included."""
    yield from (name for name in node.input if name)
    for attribute in node.attribute:
        graphs = [attribute.g] if attribute.type == AttributeProto.GRAPH else attribute.graphs
        for graph in graphs:
            for inner in graph.node:
                yield from consumed(inner)


def attribute(node: NodeProto, name: str, default: Any) -> Any:
    for found in node.attribute:
        if found.name == name:
            return helper.get_attribute_value(found)
    return default


def opset(model: ModelProto) -> int:
    """Find the version of the standard operators.

    Some exporters name the domain twice: the newest counts, as in onnxruntime.
    """
    return max((o.version for o in model.opset_import if o.domain in ONNX), default=0)


def state_opset(model: ModelProto) -> None:
    """Name each domain once, and the standard one always: models of ai.onnx.ml alone leave it out."""
    versions: dict[str, int] = {}
    for o in model.opset_import:
        domain = "" if o.domain in ONNX else o.domain
        versions[domain] = max(o.version, versions.get(domain, 0))
    versions.setdefault("", 13)
    del model.opset_import[:]
    model.opset_import.extend(helper.make_opsetid(domain, version) for domain, version in versions.items())


def constants(graph: GraphProto) -> dict[str, NDArray[Any]]:
    """Collect values known without running: initializers and Constant nodes holding a tensor."""
    known = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant" and node.domain in ONNX:
            value = attribute(node, "value", None)
            if value is not None:
                known[node.output[0]] = numpy_helper.to_array(value)
    return known


def kinds_of_numbers(model: ModelProto) -> set[int]:
    """Collect the types (of TensorProto) that constants are held in and that values are cast to."""
    found = {tensor.data_type for tensor in model.graph.initializer}
    for node in model.graph.node:
        found |= {a.t.data_type for a in node.attribute if a.HasField("t")}
        found |= {attribute(node, "to", TensorProto.UNDEFINED)} if node.op_type == "Cast" else set()
    return found


def casts_to_half(model: ModelProto) -> bool:
    """Tell whether a value is rounded to float16 on its way."""
    halves = (n for n in model.graph.node if n.op_type == "Cast" and n.domain in ONNX)
    return any(attribute(node, "to", TensorProto.UNDEFINED) == TensorProto.FLOAT16 for node in halves)


def names(graph: GraphProto) -> set[str]:
    used = {v.name for v in (*graph.input, *graph.output, *graph.value_info)} | {t.name for t in graph.initializer}
    return used.union(*({*node.input, *node.output} for node in graph.node))


class Editor:
    """An editor adds nodes and constants to a graph under names nobody else has."""

    def __init__(self, model: ModelProto) -> None:
        self.model = model
        self.graph = model.graph
        self._used = names(model.graph)

    def name(self, wish: str) -> str:
        number = 0
        while (name := f"brinell_{wish}_{number}") in self._used:
            number += 1
        self._used.add(name)
        return name

    def constant(self, value: NDArray[Any], wish: str) -> str:
        name = self.name(wish)
        self.graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, op: str, inputs: Sequence[str], **attributes: Any) -> str:
        """Add a node and return its output's name. Nodes are put in order by `prune`, which ends every surgery."""
        made = helper.make_node(op, list(inputs), [self.name(op.lower())], **attributes)
        self.graph.node.append(made)
        return str(made.output[0])

    def copy(self, original: NodeProto, source: str) -> str:
        """Add a second node like `original` that reads `source` first, and return its first output's name."""
        made = NodeProto()
        made.CopyFrom(original)
        made.name = ""
        made.input[0] = source
        made.output[:] = [self.name("copy")] + [""] * (len(made.output) - 1)
        self.graph.node.append(made)
        return str(made.output[0])

    def feed(self, old: str, new: str) -> None:
        """Let every node that reads `old` read `new` from now on.

        Subgraphs are left as they are: the gate allows none.
        """
        for node in self.graph.node:
            node.input[:] = [new if name == old else name for name in node.input]


def inputs_without_initializers(graph: GraphProto) -> list[onnx.ValueInfoProto]:
    """List what a caller must feed: up to IR version 3, initializers are listed among the inputs too."""
    fixed = {tensor.name for tensor in graph.initializer} | {t.values.name for t in graph.sparse_initializer}
    return [value for value in graph.input if value.name not in fixed]


def as_outputs(model: ModelProto, names: Iterable[str]) -> list[onnx.ValueInfoProto]:
    """Declare values within a graph as outputs of it: of the type that can be inferred, float32 where none can."""
    typed = onnx.shape_inference.infer_shapes(model).graph
    types = {value.name: value.type.tensor_type.elem_type for value in (*typed.value_info, *typed.output)}
    return [helper.make_tensor_value_info(name, types.get(name, TensorProto.FLOAT), None) for name in names]


def prune(model: ModelProto, outputs: Iterable[onnx.ValueInfoProto]) -> None:
    """Cut the graph to what these outputs need. One true input stays; value_info goes: it speaks of the old graph."""
    graph = model.graph
    wanted = list(outputs)
    makers = producers(graph)
    needed: set[str] = set()
    waiting = [value.name for value in wanted]
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            if name in makers:
                waiting.extend(consumed(makers[name]))
    kept = [node for node in graph.node if needed.intersection(node.output)]
    fed = inputs_without_initializers(graph)
    tensors = [tensor for tensor in graph.initializer if tensor.name in needed]
    sparse = [tensor for tensor in graph.sparse_initializer if tensor.values.name in needed]
    for field in ("node", "input", "output", "initializer", "sparse_initializer", "value_info"):
        graph.ClearField(field)
    graph.node.extend(_in_order(kept))
    graph.input.extend(fed)
    graph.output.extend(wanted)
    graph.initializer.extend(tensors)
    graph.sparse_initializer.extend(sparse)


def number_values(model: ModelProto) -> None:
    """Call every value v0, v1, ..., and every node as what it makes.

    Names that a converter makes of `half`, or of both `a.b` and `a/b`, would collide.
    """
    graph, numbered = model.graph, {"": ""}
    for node in graph.node:
        for names_ in (node.input, node.output):
            names_[:] = [numbered.setdefault(name, f"v{len(numbered)}") for name in names_]
        node.name = ",".join(node.output)
    for value in (*graph.input, *graph.output, *graph.initializer, *(t.values for t in graph.sparse_initializer)):
        value.name = numbered.setdefault(value.name, f"v{len(numbered)}")


def _in_order(nodes: list[NodeProto]) -> list[NodeProto]:
    """Each node after those it reads from: surgery appends and inserts, and not every exporter sorts."""
    makers = {name: i for i, node in enumerate(nodes) for name in node.output if name}
    after = [{makers[name] for name in consumed(node) if name in makers} for node in nodes]
    readers: dict[int, list[int]] = {}
    for i, needs in enumerate(after):
        for j in needs:
            readers.setdefault(j, []).append(i)
    ready = [i for i, needs in enumerate(after) if not needs]
    order = []
    while ready:
        i = ready.pop()
        order.append(nodes[i])
        for reader in readers.get(i, []):
            after[reader].discard(i)
            if not after[reader]:
                ready.append(reader)
    return order
