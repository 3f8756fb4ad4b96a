"""onnxruntime's answers do not depend on company."""

import numpy as np
import onnx
import pytest

from algorithms.errors import ModelFault
from models.onnx.network import read
from tests.exports import old_linear, torch_export


@pytest.mark.parametrize("net", ["cnn", "mlp", "softmax"])
def test_a_row_has_the_same_scores_alone_and_in_any_company(net: str) -> None:
    export = torch_export(net, "classic", 13)
    network = read(onnx.load_from_string(export.data), None)
    session, scores = network.session(), str(network.rebuilt.scores)
    rows = np.random.default_rng(0).random((257, *export.shape), dtype=np.float32)
    whole = session.ask(rows, scores)
    for size in range(1, 258):
        start = 257 - size
        np.testing.assert_array_equal(session.ask(rows[:size], scores), whole[:size])
        np.testing.assert_array_equal(session.ask(rows[start:], scores), whole[start:])


def test_no_rows_have_no_scores() -> None:
    export = old_linear(13)
    network = read(onnx.load_from_string(export.data), None)
    found = network.session().ask(np.zeros((0, *export.shape), np.float32), str(network.rebuilt.scores))
    assert found.shape == (0, 4)


def test_a_model_that_fails_on_a_row_is_a_fault_of_the_model() -> None:
    export = old_linear(13)
    network = read(onnx.load_from_string(export.data), None)
    with pytest.raises(ModelFault, match="check that it runs"):
        network.session().ask(np.zeros((3, 7, 7), np.float32), str(network.rebuilt.scores))
