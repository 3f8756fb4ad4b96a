"""Weights in a file beside a model are folded into what is uploaded; nothing else on the machine is read."""

import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.unit.brinell.stand_in import problem

pytestmark = pytest.mark.usefixtures("an_empty_folder")


def with_weights_beside(path, weights, location=None):
    """A model, and a file of its weights; `location`: another one that the model names."""
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    Path(weights).write_bytes(values.tobytes())
    tensor = TensorProto(name="W", data_type=TensorProto.FLOAT, dims=[3, 4], data_location=TensorProto.EXTERNAL)
    for key, value in {"location": location or weights, "offset": "0", "length": "48"}.items():
        tensor.external_data.add(key=key, value=value)
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", size]) for name, size in (("x", 3), ("y", 4))]
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "W"], ["y"])], "g", ends[:1], ends[1:], [tensor])
    Path(path).write_bytes(helper.make_model(graph).SerializeToString())
    return values


def refuses_weights_elsewhere(server):
    said = "One file is taken."
    server.faults = [problem(422, "external_data_forbidden", said, errors=[{"pointer": "", "detail": said}])]


def test_weights_in_a_second_file_are_folded_in_and_uploaded(run, server):
    refuses_weights_elsewhere(server)
    weights = with_weights_beside("m.onnx", "m.onnx.data")
    code, _, err = run("models", "upload", "m.onnx")
    assert code == 0 and "m.onnx with its weights" in err
    first, second = [body for method, _, _, body in server.requests if method == "POST"]
    assert b"m.onnx.data" in first
    (tensor,) = onnx.load_from_string(second).graph.initializer
    np.testing.assert_array_equal(numpy_helper.to_array(tensor), weights)
    assert sorted(path.name for path in Path().iterdir()) == ["m.onnx", "m.onnx.data", "s.npz"]


@pytest.mark.parametrize(
    ("location", "said"),
    [
        ("../secret", "in another folder, or behind a link"),
        ("/etc/hostname", "in another folder, or behind a link"),
        ("link", "in another folder, or behind a link"),
        ("absent", "does not lie beside it"),
        ("short", "shorter than it says"),
    ],
)
def test_only_files_beside_a_model_are_folded_into_it(run, server, location, said):
    refuses_weights_elsewhere(server)
    with_weights_beside("m.onnx", "m.onnx.data", location)
    Path("../secret").write_bytes(bytes(64))
    Path("link").symlink_to("m.onnx.data")
    Path("short").write_bytes(bytes(3))
    code, _, err = run("models", "upload", "m.onnx")
    assert code == 2 and "One file is taken." in err and said in err
    assert len(server.paths("POST")) == 1


def test_without_onnx_the_command_that_folds_weights_in_is_printed(run, server, monkeypatch):
    refuses_weights_elsewhere(server)
    with_weights_beside("m.onnx", "m.onnx.data")
    monkeypatch.setitem(sys.modules, "onnx", None)  # as if it were not installed
    code, _, err = run("models", "upload", "m.onnx")
    assert code == 2 and "onnx.save(onnx.load('m.onnx'), 'm-whole.onnx')" in err
