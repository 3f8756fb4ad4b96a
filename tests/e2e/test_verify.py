"""`brinell verify`, as a stranger runs it: the competition's word from a process that is shut in."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto, helper

from tests.exports import graph

BRINELL = str(Path(sys.executable).with_name("brinell"))
BOX = "(declare-const X_0 Real)\n(declare-const Y_0 Real)\n(assert (>= X_0 -1))\n(assert (<= X_0 1))\n"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """y = |x|."""
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["h"]),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node("MatMul", ["r", "v"], ["y"]),
    ]
    weights = {"w": np.array([[1, -1]], np.float32), "v": np.ones((2, 1), np.float32)}
    file = tmp_path / "m.onnx"
    file.write_bytes(graph(nodes, ["N", 1], [("y", TensorProto.FLOAT, ["N", 1])], weights))
    return file


def verify(model: Path, text: str, **environment: str) -> subprocess.CompletedProcess[str]:
    file = model.with_name("p.vnnlib")
    file.write_text(text)
    command = [BRINELL, "verify", str(model), str(file)]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.parametrize("sandbox", ["auto", "basic"])
def test_it_prints_the_competitions_word(model: Path, sandbox: str) -> None:
    done = verify(model, f"{BOX}(assert (>= Y_0 0.99))\n", BRINELL_SANDBOX=sandbox)
    word, *witness = done.stdout.splitlines()
    assert (done.returncode, word, len(witness)) == (0, "sat", 2)
    assert witness[0].startswith("((X_0 ") and witness[1].endswith("))")
    done = verify(model, f"{BOX}(assert (>= Y_0 1.01))\n", BRINELL_SANDBOX=sandbox)
    assert (done.returncode, done.stdout) == (0, "unsat\n")


def test_what_cannot_be_read_is_wrong_usage(model: Path) -> None:
    done = verify(model, "(assert)")
    assert (done.returncode, done.stdout) == (4, "")
    assert "cannot be read" in done.stderr and "Traceback" not in done.stderr
    model.write_bytes(b"no model")
    done = verify(model, f"{BOX}(assert (>= Y_0 1.01))\n")
    assert (done.returncode, done.stdout) == (4, "")
    assert "Traceback" not in done.stderr
