"""Open Inference Protocol v2 in JSON: KServe, Triton, MLServer, TorchServe, OpenVINO Model Server.

https://github.com/kserve/open-inference-protocol, specification/protocol/inference_rest.md. The address is the model's
infer call: `https://host/v2/models/NAME[/versions/V]/infer`. For two rows of shape (2, 2) and three classes:

    POST {"inputs": [{"name": "input", "shape": [2, 2, 2], "datatype": "FP32",
                      "data": [0.0, 0.25, 0.5, 0.75, 1.0, 0.75, 0.5, 0.25]}]}
    200  {"model_name": "m", "outputs": [{"name": "scores", "shape": [2, 3], "datatype": "FP32",
                                          "data": [0.5, 1.5, -2.0, 2.5, 0.0, 1.0]}]}

FP16 and BF16 have no form in JSON. float32 is written with all digits of its exact value, so nothing is rounded.
"""

import re
from typing import Annotated, Any

from pydantic import Field

from algorithms.seam.access import Rows
from models.endpoints._columns import Name, beside
from models.record import Record

DATATYPES = {"float32": "FP32", "float64": "FP64"}

MODEL_PATH = re.compile(r".*/v2/models/[^/?]+(?:/versions/[^/?]+)?/?(?:\?.*)?")  # there a GET is told of the model

TensorName = Annotated[str, Field(min_length=1, max_length=200)]


class Options(Record):
    """An output is read by its name; `output_name` null: the only output, or the first."""

    input_name: TensorName = "input"
    output_name: TensorName | None = None


def encode(rows: Rows, options: Options) -> Any:
    """Put rows (m, *shape) into the request, flat and row-major."""
    tensor = {
        "name": options.input_name,
        "shape": rows.shape,
        "datatype": DATATYPES[str(rows.dtype)],
        "data": rows.ravel().tolist(),
    }
    wanted = {"outputs": [{"name": options.output_name}]} if options.output_name else {}
    return {"inputs": [tensor], **wanted}


def decode(answer: Any, options: Options) -> Any:
    """Find numbers (m, classes), nested as `shape` says, in the answer."""
    tensor = _output(answer, options)
    return _shaped(tensor["data"], tensor["shape"])


def names(answer: Any, options: Options) -> list[Name]:
    """Name each number by the other outputs of its shape."""
    tensor = _output(answer, options)
    return beside(tensor["data"], [t.get("data") for t in answer["outputs"] if t is not tensor])


def _output(answer: Any, options: Options) -> Any:
    return next(t for t in answer["outputs"] if options.output_name in (None, t["name"]))


def _shaped(data: list[Any], shape: list[int]) -> list[Any]:
    """Flat data, cut into rows; nested data as they are."""
    if not data or isinstance(data[0], list) or len(shape) != 2:
        return data
    rows, classes = shape
    if rows * classes != len(data):
        raise ValueError("data and shape differ")
    return [data[i : i + classes] for i in range(0, len(data), classes)]
