"""Every export people make opens as what it is: the file's own labels, the logits behind it, and their gradients."""

import numpy as np
import pytest

from algorithms.mathematics.norms import Norm
from algorithms.seam.access import Access, Model
from algorithms.seam.questions.margins import Region
from algorithms.threats.threat import Box, Threat
from models.cards import ModelCard
from models.onnx.inspection import inspect
from models.opening import open_model
from tests.batch_readers import READERS
from tests.devices import DEVICE
from tests.exports import NETS, Export, cast_linear, old_linear, torch_export

BY_DYNAMO = ("cnn", "resnet block", "hand-written softmax", "log-softmax", "one sigmoid [N]", "both sides of a sigmoid")

TABLE = {
    **{f"{net}, classic 13": lambda net=net: torch_export(net, "classic", 13) for net in NETS},
    **{f"{net}, dynamo 18": lambda net=net: torch_export(net, "dynamo", 18) for net in BY_DYNAMO},
    **{f"cnn, classic {n}": lambda n=n: torch_export("softmax", "classic", n) for n in (9, 10, 11, 12, 15, 17, 18, 20)},
    **{f"cnn, dynamo {n}": lambda n=n: torch_export("softmax", "dynamo", n) for n in (20, 21)},
    **{f"cnn, classic, {b} rows": lambda b=b: torch_export("cnn", "classic", 17, b) for b in (1, 3)},
    **{f"cnn, dynamo, {b} rows": lambda b=b: torch_export("cnn", "dynamo", 18, b) for b in (1, 3)},
    **{f"linear, opset {n}": lambda n=n: old_linear(n) for n in (8, 10, 13, 21)},
    "linear, opset 8, initializers among the inputs": lambda: old_linear(8, initializers_are_inputs=True),
    "linear, opset 8, initializers among the inputs, one row": lambda: old_linear(
        8, initializers_are_inputs=True, batch=1
    ),
    "linear, five rows": lambda: old_linear(13, batch=5),
    "linear in float16": lambda: cast_linear("float16"),
    "linear in float64": lambda: cast_linear("float64"),
    **READERS,
}


def rows_of(export: Export, count: int = 37) -> np.ndarray:
    return np.random.default_rng(7).random((count, *export.shape), dtype=np.float32)


REPEATED = {  # no operator that other files by dynamo have not
    f"{net}, dynamo" for net in ("viewed by shape", "flattened by hand", "shuffled channels", "ones beside")
}
TRIED = [pytest.param(case, marks=pytest.mark.every if case in REPEATED else ()) for case in TABLE]


@pytest.mark.parametrize("case", TRIED)
def test_an_export_is_understood(case: str) -> None:
    export = TABLE[case]()
    found = inspect(export.data, preprocessing=None, device=DEVICE)
    everything = (Access.LABELS, Access.SCORES, Access.GRADIENTS, Access.BOUNDS)
    assert found.offers == (everything if export.is_bounded else everything[:3]), found.withheld
    assert [each.offer for each in found.withheld] == [Access.BOUNDS] * (not export.is_bounded)
    assert found.input.shape == export.shape
    assert found.input.dtype == export.dtype
    assert found.input.batch is None
    assert (found.output.kind, found.output.classes) == (export.kind, export.classes)
    assert found.parity is not None
    assert found.parity.max_abs_difference < 100 * export.tolerance

    model = open_model(card(found), export.data, device=DEVICE)
    rows = rows_of(export)
    logits = export.logits(rows)
    np.testing.assert_allclose(model.scores(rows), logits, atol=export.tolerance)
    np.testing.assert_array_equal(model.labels(rows), logits.argmax(axis=1))
    scores, gradients = model.offers[Access.GRADIENTS].gradients(
        rows, lambda own, positions: np.eye(export.classes)[positions % 2]
    )
    np.testing.assert_allclose(scores, logits, atol=export.tolerance)
    np.testing.assert_allclose(slopes(model, rows, gradients), numeric(export, rows, gradients), rtol=0.1, atol=0.05)
    if export.is_bounded:
        check_bounds(model, export, rows[:4])


def check_bounds(model: Model, export: Export, rows: np.ndarray) -> None:
    """Where a margin is proven all over a cube, it is above zero at every point of it."""
    labels = export.logits(rows).argmax(axis=1)
    rivals = np.array([[rival for rival in range(export.classes) if rival != label] for label in labels])
    rng = np.random.default_rng(3)
    for radius in (1e-4, 0.02):
        region = Region(rows, np.full(len(rows), radius), Threat(Norm.LINF, Box.unbounded()))
        proven = model.offers[Access.BOUNDS].margins(region, labels, rivals, "crown") > 0
        assert proven.any() or radius > 1e-4
        for sides in rng.choice([-1, 0, 1], (8, *rows.shape)):
            logits = export.logits((rows + 0.99 * radius * sides).astype(np.float32))
            margins = np.take_along_axis(logits, labels[:, None], 1) - np.take_along_axis(logits, rivals, 1)
            assert (margins[proven] > 0).all()


def slopes(model: object, rows: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """Directional derivatives along the gradients' own signs, by the gradients."""
    return (gradients * np.sign(gradients)).reshape(len(rows), -1).sum(axis=1)


def numeric(export: Export, rows: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """The same by central differences of the model's own logits, computed without ONNX."""
    step = 1e-3 * np.sign(gradients).astype(np.float32)
    change = export.logits(rows + step) - export.logits(rows - step)
    return change[np.arange(len(rows)), np.arange(len(rows)) % 2] / 2e-3


def card(found: object) -> ModelCard:
    blank = ModelCard(
        id="mdl_1",
        kind="onnx",
        name="m",
        state="inspecting",
        sha256="0" * 64,
        size_bytes=1,
        created_at="2026-01-01T00:00:00Z",
    )
    return blank.inspected(found)
