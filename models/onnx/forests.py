"""Is the answer nothing but votes of trees? Then it is flat between its steps, and no export of it has gradients.

What lies behind the trees may count, weigh and squash their votes. A layer of learned products behind them is a network
that trees feed: they only cut its input into steps, and it should have gradients.
"""

from onnx import ModelProto, NodeProto

from models.onnx.graph import ML, ONNX, constants, producers

TREES = frozenset({"TreeEnsemble", "TreeEnsembleClassifier", "TreeEnsembleRegressor"})
COUNTING = frozenset(
    {
        *("Identity", "Cast", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Concat", "Split", "Slice", "Gather"),
        *("Transpose", "Expand", "Add", "Sub", "Mul", "Div", "Sum", "Mean", "Neg", "Abs", "ReduceSum", "ReduceMean"),
        *("ReduceMax", "Max", "Min", "Clip", "Exp", "Log", "Pow", "Reciprocal", "Sigmoid", "Softmax", "LogSoftmax"),
        *("Erf", "Tanh", "ArgMax", "OneHot", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Equal", "Not", "And"),
        *("Or", "Where"),
    }
)
COUNTING_LEARNED = frozenset({"ArrayFeatureExtractor", "LabelEncoder", "Normalizer", "Binarizer", "ZipMap"})


def is_forest(model: ModelProto, output: str) -> bool:
    """Tell whether every way back from the output ends at tree ensembles or at constants."""
    makers, fixed = producers(model.graph), constants(model.graph)
    waiting, seen, found = [output], set(fixed), False
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        maker = makers.get(name)
        if maker is None:
            return False  # the rows themselves
        if maker.domain == ML and maker.op_type in TREES:
            found = True
        elif _counts(maker):
            waiting += [source for source in maker.input if source]
        elif maker.op_type not in ("Shape", "Constant"):
            return False
    return found


def _counts(node: NodeProto) -> bool:
    return node.op_type in (COUNTING if node.domain in ONNX else COUNTING_LEARNED if node.domain == ML else ())
