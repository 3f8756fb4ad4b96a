import io
from typing import Any

import numpy as np
import pytest

from algorithms.errors import Refused
from algorithms.seam.access import Access
from models.neighbors.upload import MAX_METRIC, inspect, read

X = np.random.default_rng(0).uniform(size=(12, 1, 2, 2)).astype(np.float32)
Y = np.arange(12) % 3
NAN = np.where(np.arange(12)[:, None] == 5, np.nan, X.reshape(12, 4))


def upload(*, without: str = "", **arrays: Any) -> bytes:
    """A good model, with these arrays instead of its own."""
    file = io.BytesIO()
    kept = {"x": X, "y": Y, "k": 3} | arrays
    np.savez(file, **{name: array for name, array in kept.items() if name != without})
    return file.getvalue()


def test_a_good_upload_is_described_by_its_card():
    found = inspect(upload())
    assert (found.input.shape, found.input.dtype, found.input.batch) == ((1, 2, 2), "float32", None)
    assert (found.output.classes, found.output.kind, found.opset) == (3, "labels", None)
    assert found.offers == (Access.LABELS, Access.NEIGHBOURS)


@pytest.mark.parametrize(
    "changed",
    [{"x": X.astype(np.float64)}, {"x": np.asfortranarray(X)}, {"x": X.astype(">f4")}, {"k": np.array([3])}],
    ids=["float64", "fortran", "big-endian", "k in an array"],
)
def test_the_numbers_are_those_that_were_saved(changed):
    model, shape, _ = read(upload(**changed))
    assert (model.x == X.reshape(12, 4)).all() and (model.y == Y).all()
    assert (model.k, model.factor, shape) == (3, None, (1, 2, 2))


def test_pixels_may_be_integers():
    model, _, dtype = read(upload(x=(255 * X).astype(np.uint8)))
    assert dtype == "uint8" and (model.x == (255 * X).astype(np.uint8).reshape(12, 4)).all()


def test_a_metric_is_taken_apart_and_a_factor_is_kept():
    g = np.random.default_rng(1).normal(size=(2, 4))
    (by_metric, *_), (by_factor, *_) = read(upload(metric=g.T @ g)), read(upload(g=g))
    assert by_metric.factor.T @ by_metric.factor == pytest.approx(g.T @ g, abs=1e-12)
    assert (by_factor.factor == g).all()


def test_what_float32_did_to_a_metric_is_forgiven():
    g = np.random.default_rng(1).normal(size=(2, 4)).astype(np.float32)
    read(upload(metric=g.T @ g + np.float32(1e-7) * np.triu(np.ones((4, 4), np.float32))))


REFUSALS = [
    ({"without": "x"}, "unsupported_signature", "no array x"),
    ({"without": "y"}, "unsupported_signature", "no array y"),
    ({"without": "k"}, "unsupported_signature", "no array k"),
    ({"x": X.reshape(-1)}, "unsupported_signature", "axis of points"),
    ({"x": X[:0], "y": Y[:0]}, "unsupported_signature", "none of them empty"),
    ({"y": Y[:-1]}, "unsupported_signature", "12 points"),
    ({"y": Y.astype(float)}, "unsupported_signature", "integers"),
    ({"k": 2.5}, "unsupported_signature", "one integer"),
    ({"k": np.array([1, 3])}, "unsupported_signature", "one integer"),
    ({"metric": np.eye(3)}, "unsupported_signature", r"\(4, 4\)"),
    ({"g": np.ones((4, 3))}, "unsupported_signature", r"\(r, 4\)"),
    ({"metric": np.eye(4), "g": np.eye(4)}, "unsupported_signature", "not both"),
    ({"k": 0}, "model_invalid", "from 1 to 12"),
    ({"k": 13}, "model_invalid", "k is 13, and there are 12 points"),
    ({"y": Y - 1}, "model_invalid", "from 0 on"),
    ({"y": Y * 0}, "model_invalid", "two different"),
    ({"y": Y * 10**9}, "model_invalid", "none above"),
    ({"x": NAN}, "model_invalid", "NaN"),
    ({"x": X.astype(np.float64) * 1e60}, "model_invalid", "float32"),
    ({"metric": np.diag([1.0, 1, 1, -0.01])}, "model_invalid", "positive semidefinite.*-0.01"),
    ({"metric": -np.eye(4)}, "model_invalid", "positive semidefinite"),
    ({"metric": np.triu(np.ones((4, 4)))}, "model_invalid", "symmetric"),
    ({"metric": np.zeros((4, 4))}, "model_invalid", "all zeros"),
    ({"g": np.full((1, 4), np.inf)}, "model_invalid", "g holds NaN or infinity"),
    ({"x": X.astype(np.complex64)}, "model_unparseable", "plain numbers"),
    ({"x": X.astype(str)}, "model_unparseable", "plain numbers"),
    ({"y": np.array([{}] * 12)}, "model_unparseable", "never loaded"),
    ({"names": np.arange(3)}, "model_unparseable", "x, y, k, metric, g"),
]


@pytest.mark.parametrize(("changed", "code", "said"), REFUSALS, ids=[f"{r[2]}" for r in REFUSALS])
def test_what_is_no_model_is_refused_with_its_reason(changed, code, said):
    with pytest.raises(Refused, match=said) as refused:
        read(upload(**changed))
    assert refused.value.code == code


def test_a_metric_too_large_to_take_apart_is_refused_by_its_header():
    d = MAX_METRIC + 1
    with pytest.raises(Refused, match="factor g") as refused:
        read(upload(x=np.zeros((12, d), np.uint8), metric=np.zeros((d, d), np.uint8)))
    assert refused.value.code == "model_too_complex"


@pytest.mark.parametrize("data", [b"", b"not a zip", upload()[:-40]], ids=["empty", "text", "cut off"])
def test_bytes_that_are_no_archive_are_refused(data):
    with pytest.raises(Refused) as refused:
        read(data)
    assert refused.value.code == "model_unparseable"
