"""What people's exporters write passes the gate: scikit-learn, torch (classic and dynamo), published networks."""

import io
import warnings

import numpy as np
import pytest
import torch
from skl2onnx import to_onnx
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.tree import DecisionTreeClassifier

from models.onnx.gate.check import check
from tests.published import data_folder

RNG = np.random.default_rng(3)
X = RNG.random((60, 4), dtype=np.float32)

ESTIMATORS = (
    LogisticRegression(),
    MLPClassifier((5,), solver="lbfgs", max_iter=20_000, random_state=0),
    RandomForestClassifier(5, random_state=0),
    DecisionTreeClassifier(random_state=0),
)


@pytest.mark.parametrize("zipmap", [True, False])
@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=lambda e: type(e).__name__)
def test_scikit_learn_exports(estimator, classes: int, zipmap: bool):
    fitted = estimator.fit(X, np.arange(60) % classes)
    exported = to_onnx(fitted, X[:1], options={id(fitted): {"zipmap": zipmap}})
    assert check(exported.SerializeToString()) == exported


def network() -> torch.nn.Module:
    torch.manual_seed(0)
    layers = (torch.nn.Conv2d(1, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.ReLU(), torch.nn.MaxPool2d(2))
    return torch.nn.Sequential(*layers, torch.nn.Dropout(), torch.nn.Flatten(), torch.nn.Linear(36, 3)).eval()


@pytest.mark.parametrize("opset", range(8, 22))
def test_classic_torch_exports(opset: int):
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch deprecates this exporter; people's models stay
        torch.onnx.export(network(), (torch.rand(1, 1, 8, 8),), file, opset_version=opset, dynamo=False)
    assert check(file.getvalue()).opset_import[0].version == opset


@pytest.mark.slow
@pytest.mark.parametrize("opset", [18, 21])
def test_dynamo_torch_exports(opset: int):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        batch = ({0: torch.export.Dim("batch")},)
        program = torch.onnx.export(
            network(), (torch.rand(2, 1, 8, 8),), dynamo=True, opset_version=opset, dynamic_shapes=batch, verbose=False
        )
    assert check(program.model_proto.SerializeToString()).graph.node


@pytest.mark.reference
def test_published_networks():
    files = [*data_folder("nets").glob("*.onnx"), *data_folder("verification").glob("*/onnx/*.onnx")]
    assert len(files) >= 50
    for file in files:
        assert check(file.read_bytes()).graph.node, file.name
