"""A model that takes long to look into is refused for the time that it used, once, and with that reason."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from tests.e2e.machine import DIGITS, Machine, state_of
from tests.patience import until

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


def test_one_that_sleeps_is_refused_by_the_clock_and_holds_up_nobody(machine: Machine, tmp_path: Path) -> None:
    """The runner is stopped in the middle, as native code would sleep there."""
    assert machine.upload_model(DIGITS / "model.onnx").state == "ready"
    (runner, *_) = machine.worker().runners
    until(lambda: state_of(runner) == "T", what="a runner at rest")

    def put_to_sleep() -> None:
        until(lambda: state_of(runner) != "T", what="a runner at work")
        os.kill(runner, signal.SIGSTOP)

    sleep = threading.Thread(target=put_to_sleep)
    sleep.start()
    asleep = machine.upload_model(deep(tmp_path / "deep.onnx"))
    sleep.join()
    assert asleep.refusal is not None and asleep.refusal.code == "model_invalid"
    assert f"more than {2 * SECONDS} s by the clock" in asleep.refusal.detail
    assert machine.upload_model(DIGITS / "model.onnx").state == "ready"
