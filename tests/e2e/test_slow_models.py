"""A model that takes long to look into is refused for the processor time that it used, once, and with that reason."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from tests.e2e.machine import DIGITS, Machine

pytestmark = pytest.mark.slow

SECONDS = 3
LAYERS = 4000  # some processor seconds for each thousand


@pytest.fixture
def machine(empty_valkey_url: str, tmp_path: Path) -> Iterator[Machine]:
    here = Machine(empty_valkey_url, tmp_path, queue="inspect", inspect_seconds=SECONDS)
    here.worker()
    yield here
    here.stop()


def deep(path: Path) -> Path:
    weight = numpy_helper.from_array(np.eye(8, dtype=np.float32), "w")
    names = ["x", *(f"h{n}" for n in range(2 * LAYERS - 1)), "y"]
    nodes = [
        helper.make_node(*step, [target])
        for n, target in enumerate(names[1:])
        for step in [("Gemm", [names[n], "w"]) if n % 2 else ("Tanh", [names[n]])]
    ]
    ends = [helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n", 8]) for name in ("x", "y")]
    graph = helper.make_graph(nodes, "deep", ends[:1], ends[1:], [weight])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path


def test_it_is_refused_with_the_limit_and_holds_up_nobody(machine: Machine, tmp_path: Path) -> None:
    slow = machine.upload_model(deep(tmp_path / "deep.onnx"))
    assert slow.refusal is not None and slow.refusal.code == "model_too_complex"
    assert f"more than {SECONDS} s of processor time" in slow.refusal.detail
    assert "BRINELL_INSPECT_SECONDS" in slow.refusal.detail
    assert machine.upload_model(DIGITS / "model.onnx").state == "ready"
