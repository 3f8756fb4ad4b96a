"""The upload made ready for surgery: a copy of its own, functions inlined, and no dictionaries at its end."""

from onnx import ModelProto, TensorProto, helper, inliner

from models.onnx.graph import ML, producers, prune, state_opset


def own_copy(upload: ModelProto) -> ModelProto:
    """Copy a model, with functions inlined and the array that a ZipMap is given in place of its dictionaries."""
    model = ModelProto()
    model.CopyFrom(inliner.inline_local_functions(upload) if upload.functions else upload)
    model.ir_version = max(model.ir_version, 4)  # before, every initializer had to be listed as an input too
    state_opset(model)
    _read_before_zipmap(model)
    prune(model, list(model.graph.output))
    return model


def _read_before_zipmap(model: ModelProto) -> None:
    """scikit-learn's ZipMap wraps the probabilities in dictionaries: read the array it is given."""
    makers = producers(model.graph)
    for value in model.graph.output:
        node = makers.get(value.name)
        if node is not None and node.domain == ML and node.op_type == "ZipMap":
            value.CopyFrom(helper.make_tensor_value_info(node.input[0], TensorProto.FLOAT, None))
