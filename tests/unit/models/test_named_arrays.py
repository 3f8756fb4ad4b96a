"""Named arrays come back as they were kept, and whatever else the bytes say is refused."""

import io

import numpy as np
import pytest

from algorithms.artifacts.basis import Basis
from algorithms.artifacts.wish import Declared, NotAsDeclared
from models.named_arrays import packed, unpacked

DECLARED = {
    "weights": Declared((2, 3)),
    "steps": Declared((), dtype=np.int64),
    "rows": Declared((4, 2), least=1),
}
ARRAYS = {
    "weights": np.arange(6, dtype=np.float32).reshape(2, 3),
    "steps": np.array(7),
    "rows": np.ones((3, 2), np.float32),
}


def test_arrays_are_packed_into_the_same_bytes_each_time_and_come_out_as_they_were():
    assert packed(ARRAYS) == packed({name: ARRAYS[name].copy() for name in reversed(ARRAYS)})
    found = unpacked(packed(ARRAYS), DECLARED)
    assert list(found) == list(DECLARED)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(found[name], array, strict=True)


def test_more_arrays_than_an_upload_may_have_are_read_where_as_many_are_declared():
    many = {f"layer.{i}": np.full(2, i, np.float32) for i in range(40)}
    assert len(unpacked(packed(many), {name: Declared((2,)) for name in many})) == 40


@pytest.mark.parametrize(
    "changed",
    [
        {"more": np.zeros(1, np.float32)},
        {"weights": np.zeros((3, 2), np.float32)},
        {"weights": np.zeros((2, 3))},
        {"weights": np.full((2, 3), np.nan, np.float32)},
        {"weights": np.full((2, 3), np.inf, np.float32)},
        {"weights": np.array([[{}] * 3] * 2, object)},
        {"weights": np.zeros((2000, 3000), np.float32)},
        {"steps": np.zeros(1, np.int64)},
        {"rows": np.zeros((0, 2), np.float32)},
        {"rows": np.zeros((5, 2), np.float32)},
    ],
    ids=[
        *("one more", "turned", "of another type", "no numbers", "infinite", "objects", "too large"),
        *("no single number", "too few rows", "too many rows"),
    ],
)
def test_what_was_not_declared_is_refused(changed):
    file = io.BytesIO()
    np.savez(file, **{**ARRAYS, **changed})
    with pytest.raises(NotAsDeclared):
        unpacked(file.getvalue(), DECLARED)


def test_a_missing_array_is_refused():
    with pytest.raises(NotAsDeclared):
        unpacked(packed({"weights": ARRAYS["weights"]}), DECLARED)


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", b"\x93NUMPY", b"\x80\x04."], ids=["none", "zip", "npy", "pickle"])
def test_bytes_that_hold_no_arrays_are_refused(data):
    with pytest.raises(NotAsDeclared):
        unpacked(data, DECLARED)


def test_a_basis_that_an_earlier_version_kept_as_an_npy_is_read():
    basis, file = np.eye(2, 6, dtype=np.float32), io.BytesIO()
    np.save(file, basis)
    np.testing.assert_array_equal(unpacked(file.getvalue(), Basis().arrays((6,), 5))["basis"], basis)
