"""Which operators a model may use: those of the standard that answer the same way twice, and quickly.

Scores must be reproducible, so nothing random; an answer must come to an end, so no loops. A branch (`If`) hides
operators from a static reading and is refused with them.
"""

import onnx
from onnx import ModelProto, NodeProto

from algorithms.errors import Refused
from models.onnx.gate.constants import Constants, small_constants
from models.onnx.gate.walk import bodies, called, domain_of, signature_of

DOMAINS = ("", "ai.onnx.ml")
KNOWN_DOMAINS = frozenset(  # of exporters and runtimes: these may be named, others are words of the model
    {
        "ai.onnx.contrib",
        "ai.onnx.preview",
        "ai.onnx.preview.training",
        "ai.onnx.training",
        "com.microsoft",
        "com.microsoft.experimental",
        "com.microsoft.nchwc",
        "com.ms.internal.nhwc",
        "org.pytorch.aten",
        "org.pytorch.prim",
        "pkg.onnxscript.torch_lib",
    }
)
NEIGHBORS = (  # Scan and CDist are how skl2onnx writes distances to all points
    "If it is a nearest-neighbor model of scikit-learn, upload its points instead of an export, kind=neighbors: an .npz"
    " with x, y and k."
)
CONTROL_FLOW = frozenset({"If", "Loop", "Scan", "SequenceMap"})
RANDOM = frozenset(
    {"Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"}
)


def refuse_operators(model: ModelProto) -> None:
    """Refuse foreign, random and looping operators: custom_domain_forbidden, op_not_supported."""
    functions = {signature_of(function) for function in model.functions}
    for domain, name, _ in functions:
        if domain in DOMAINS:  # a runtime would have to choose between the two
            what = (
                f"redefines the standard operator {name}" if onnx.defs.has(name, domain) else "adds one to the standard"
            )
            raise _unsupported(f"The model {what}; give its function a domain of its own.")
    for body in bodies(model):
        constants = small_constants(body)
        for place, node in enumerate(body.nodes):
            if called(node) not in functions:
                _refuse_domain(node, place)
                _refuse_operator(node, place)
                _refuse_training(node, constants)


def _refuse_domain(node: NodeProto, place: int) -> None:
    if domain_of(node) not in DOMAINS:
        domain = node.domain if node.domain in KNOWN_DOMAINS else "not a standard one"
        neighbors = f" {NEIGHBORS}" if node.op_type == "CDist" else ""
        raise Refused(
            f"The domain of node {place} (counted from 0) is {domain}; export with ai.onnx and ai.onnx.ml only, without"
            f" optimizations for one runtime.{neighbors}",
            code="custom_domain_forbidden",
        )


def _refuse_operator(node: NodeProto, place: int) -> None:
    op = node.op_type
    if op in CONTROL_FLOW:
        neighbors = f" {NEIGHBORS}" if op == "Scan" else ""
        raise _unsupported(
            f"Operator {op} is control flow; export the model for inputs of fixed shape, without it.{neighbors}"
        )
    if op in RANDOM:
        raise _unsupported(f"Operator {op} is random; export the model in evaluation mode, without it.")
    if not onnx.defs.has(op, domain_of(node)):
        raise _unsupported(
            f"Node {place} (counted from 0) is no operator of ONNX {onnx.__version__}; export the model with standard"
            " operators only."
        )


def _refuse_training(node: NodeProto, constants: Constants) -> None:
    """Dropout would be random, batch normalization would let the rows of a batch change each other's answers."""
    if node.op_type == "Dropout" and len(node.input) > 2 and node.input[2]:
        mode = constants.get(node.input[2])
        training = mode is None or bool(mode.any())
    else:
        training = node.op_type == "BatchNormalization" and any(
            a.name == "training_mode" and a.i for a in node.attribute
        )
    if training:
        raise _unsupported(f"{node.op_type} is in training mode; call model.eval() and export again.")


def _unsupported(detail: str) -> Refused:
    return Refused(detail, code="op_not_supported")
