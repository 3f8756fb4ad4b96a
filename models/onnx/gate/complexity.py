"""How much there is of a model, written out and expanded: refused before anything else walks it.

Functions may call functions, so a file of a kilobyte can stand for millions of nodes, and a chain of a few thousand
ends the stack of onnxruntime. What a model expands to is counted over the graph of calls, without expanding anything.
"""

from collections import Counter, defaultdict
from graphlib import CycleError, TopologicalSorter
from itertools import islice

from onnx import ModelProto

from algorithms.errors import Refused
from models.onnx.gate.walk import MAIN, GraphBody, Signature, bodies, called, signature_of

MAX_NODES = 100_000  # as written, nested graphs and functions included
MAX_PARTS = 1_000_000  # tensors, attributes, names of values: two bytes of a file are enough for one
MAX_FUNCTIONS = 1_000
MAX_NESTING = 8  # of graphs in attributes
MAX_CALL_DEPTH = 50
MAX_EXPANDED_NODES = 200_000

Calls = dict[Signature, Counter[Signature]]  # caller -> callee -> how often


def refuse_complexity(model: ModelProto) -> None:
    """Refuse what would take too long (model_too_complex), and two functions of one name (model_invalid)."""
    if len(model.functions) > MAX_FUNCTIONS:
        raise _too_complex(f"{len(model.functions)} functions (at most {MAX_FUNCTIONS})")
    functions = {signature_of(function) for function in model.functions}
    if len(functions) < len(model.functions) or MAIN in functions:
        raise Refused("Two functions of the model have one name; export it again.", code="model_invalid")
    nodes, calls = _count(model, functions)
    _refuse_expansion(nodes, calls)


def _count(model: ModelProto, functions: set[Signature]) -> tuple[Counter[Signature], Calls]:
    """Nodes and calls of each function, as written; MAIN is all the rest."""
    nodes: Counter[Signature] = Counter()
    calls: Calls = defaultdict(Counter)
    parts = len(model.graph.input) + len(model.graph.output) + len(model.graph.value_info)
    for body in bodies(model):
        nodes[body.owner] += len(body.nodes)
        if nodes.total() > MAX_NODES:
            raise _too_complex(f"more than {MAX_NODES} nodes")
        if body.nesting > MAX_NESTING:
            raise _too_complex(f"graphs nested {body.nesting} deep (at most {MAX_NESTING})")
        parts += _parts(body)
        if parts > MAX_PARTS:
            raise _too_complex(f"more than {MAX_PARTS} tensors, attributes and names")
        calls[body.owner].update(callee for node in body.nodes if (callee := called(node)) in functions)
    return nodes, calls


def _parts(body: GraphBody) -> int:
    """How much there is to walk in a body besides its nodes; counted no further than the limit."""
    parts = 1 + sum(len(node.input) + len(node.output) + len(node.attribute) for node in body.nodes)
    return parts + sum(1 for _ in islice(body.tensors(), MAX_PARTS + 1)) if parts <= MAX_PARTS else parts


def _refuse_expansion(nodes: Counter[Signature], calls: Calls) -> None:
    expanded: dict[Signature, int] = {}
    depth: dict[Signature, int] = {}
    try:
        callees_first = list(TopologicalSorter(calls).static_order())
    except CycleError as error:
        raise _too_complex("functions that call each other in a circle") from error
    for caller in callees_first:
        callees = calls[caller]
        expanded[caller] = nodes[caller] + sum(times * expanded[callee] for callee, times in callees.items())
        depth[caller] = 1 + max((depth[callee] for callee in callees), default=0)
        if expanded[caller] > MAX_EXPANDED_NODES:
            raise _too_complex(f"more than {MAX_EXPANDED_NODES} nodes once its functions are expanded")
        if depth[caller] > MAX_CALL_DEPTH + 1:  # the graph itself is the first
            raise _too_complex(f"functions calling functions more than {MAX_CALL_DEPTH} deep")


def _too_complex(found: str) -> Refused:
    return Refused(
        f"The model has {found}; export a smaller one, or one with its functions inlined.", code="model_too_complex"
    )
