"""Every place of a model where nodes and tensors can be: nothing a runtime reads may be out of the gate's sight.

That is the graph, the bodies and the default attributes of functions, the graphs for training, and whatever graphs hang
in attributes of any of them, to any depth. Walked with a list of our own, so that no depth ends Python's stack.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from onnx import AttributeProto, FunctionProto, GraphProto, ModelProto, NodeProto, SparseTensorProto, TensorProto

Signature = tuple[str, str, str]  # domain, name, overload of a function
MAIN: Signature = ("", "", "")  # stands for all that is no function


def domain_of(node: NodeProto | FunctionProto) -> str:
    """Name a node's domain: of the two spellings of the standard one the empty one."""
    return "" if node.domain == "ai.onnx" else node.domain


def called(node: NodeProto) -> Signature:
    """Name the function that a node calls, if the model has one of this signature."""
    return (domain_of(node), node.op_type, node.overload)


def signature_of(function: FunctionProto) -> Signature:
    return (domain_of(function), function.name, function.overload)


@dataclass(frozen=True)
class GraphBody:
    """A body is one list of nodes with the tensors beside it: a graph or a function."""

    owner: Signature  # the function whose expansion includes these nodes
    nesting: int  # in how many graphs of attributes it lies
    nodes: Sequence[NodeProto]
    initializers: Sequence[TensorProto] = ()
    sparse: Sequence[SparseTensorProto] = ()
    defaults: Sequence[AttributeProto] = ()  # of a function's own attributes

    @classmethod
    def of(cls, graph: GraphProto, owner: Signature = MAIN, nesting: int = 0) -> "GraphBody":
        return cls(owner, nesting, graph.node, graph.initializer, graph.sparse_initializer)

    def attributes(self) -> Iterator[AttributeProto]:
        return chain(self.defaults, chain.from_iterable(node.attribute for node in self.nodes))

    def sparse_tensors(self) -> Iterator[SparseTensorProto]:
        yield from self.sparse
        for attribute in self.attributes():
            if attribute.HasField("sparse_tensor"):
                yield attribute.sparse_tensor
            yield from attribute.sparse_tensors

    def tensors(self) -> Iterator[TensorProto]:
        """Yield all tensors, those of fields that an attribute's type does not name too: a runtime may look there."""
        yield from self.initializers
        for attribute in self.attributes():
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
        for sparse in self.sparse_tensors():
            yield from (sparse.values, sparse.indices)


def bodies(model: ModelProto) -> Iterator[GraphBody]:
    """Yield all bodies, each before those nested in it, and none made before it is asked for."""
    waiting = [_outermost(model)]
    while waiting:
        body = next(waiting[-1], None)
        if body is None:
            waiting.pop()
        else:
            yield body
            waiting.append(_nested(body))


def _outermost(model: ModelProto) -> Iterator[GraphBody]:
    yield GraphBody.of(model.graph)
    for function in model.functions:
        yield GraphBody(signature_of(function), 0, function.node, defaults=function.attribute_proto)
    for training in model.training_info:
        yield GraphBody.of(training.initialization)
        yield GraphBody.of(training.algorithm)


def _nested(body: GraphBody) -> Iterator[GraphBody]:
    for attribute in body.attributes():
        for graph in chain([attribute.g] if attribute.HasField("g") else [], attribute.graphs):
            yield GraphBody.of(graph, body.owner, body.nesting + 1)
