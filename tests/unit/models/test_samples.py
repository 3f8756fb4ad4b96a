"""What a samples upload may be, and every way in which it may not."""

import io
import struct
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from algorithms.errors import Refused
from models import archive
from models.samples import LISTED, inspect_samples, load_rows, rows_within

RNG = np.random.default_rng(7)
X = RNG.random((12, 3, 4, 5), dtype=np.float32)
Y = RNG.integers(0, 9, 12)


def npz(**arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def packed(**arrays) -> bytes:
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)
    return buffer.getvalue()


def npy(array) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.asanyarray(array))
    return buffer.getvalue()


def header(text: str) -> bytes:
    """An .npy file of format 1.0 with this header and four bytes of numbers."""
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode("latin1") + bytes(4)


def zipped(*members: tuple[str, bytes], method=zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as file:
        for name, data in members:
            file.writestr(name, data)
    return buffer.getvalue()


@pytest.fixture
def inspect(tmp_path: Path):
    def inspect(data: bytes):
        path = tmp_path / "upload.npz"
        path.write_bytes(data)
        return inspect_samples(path)

    return inspect


def test_the_facts_are_those_of_the_arrays(inspect):
    facts = inspect(npz(x=X, y=Y))
    assert (facts.count, facts.shape, facts.dtype, facts.labelled) == (12, (3, 4, 5), "float32", True)
    assert (facts.minimum, facts.maximum) == (float(X.min()), float(X.max()))
    assert (facts.label_minimum, facts.label_maximum) == (Y.min(), Y.max())


def test_labels_may_be_left_out(inspect):
    facts = inspect(npz(x=X))
    assert (facts.labelled, facts.label_minimum, facts.label_maximum, facts.label_values) == (False, None, None, None)
    assert load_rows(npz(x=X), [3])[1] is None


WORDS = np.array(["cat", "d\u00f6g", "emu", "e" * 64])[np.arange(12) % 4]


@pytest.mark.parametrize("save", [npz, packed])
@pytest.mark.parametrize("block_bytes", [64, 1000, 1 << 20])
@pytest.mark.parametrize("order", ["=", ">"])
def test_labels_may_be_text(inspect, monkeypatch, save, block_bytes: int, order: str):
    monkeypatch.setattr(archive, "BLOCK_BYTES", block_bytes)
    data = save(x=X, y=WORDS.astype(WORDS.dtype.newbyteorder(order)))
    facts = inspect(data)
    assert facts.label_values == ("cat", "d\u00f6g", "e" * 64, "emu")
    assert (facts.labelled, facts.label_minimum, facts.label_maximum) == (True, None, None)
    np.testing.assert_array_equal(load_rows(data, [11, 0, 5])[1], WORDS[[11, 0, 5]], strict=True)


@pytest.mark.parametrize("dtype", ["u1", ">i2", "i8"])
def test_a_card_lists_the_different_labels_in_order(inspect, dtype: str):
    assert inspect(npz(x=X, y=np.array([7, 3, 3] * 4, dtype))).label_values == (3, 7)
    assert inspect(npz(x=X, y=np.array([-1, 1] * 6))).label_values == (-1, 1)


@pytest.mark.parametrize("as_text", [False, True])
def test_a_card_lists_a_thousand_labels_or_says_that_it_does_not(inspect, as_text: bool):
    for count, listed in ((LISTED, LISTED), (LISTED + 1, None)):
        y = np.arange(count)
        facts = inspect(npz(x=np.zeros((count, 1)), y=y.astype(str) if as_text else y))
        assert (facts.label_values and len(facts.label_values)) == listed
        assert (facts.label_minimum, facts.label_maximum) == ((None, None) if as_text else (0, count - 1))


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f4", ">f8", "u1", "i1", "i2", ">u2", "i4", "i8", "u8"])
def test_every_plain_number_type_is_read_as_the_model_will_see_it(inspect, dtype: str):
    x = (100 * X).astype(dtype)
    facts = inspect(npz(x=x))
    seen = x.astype(np.float32)
    assert (facts.minimum, facts.maximum) == (seen.min(), seen.max())
    np.testing.assert_array_equal(load_rows(npz(x=x), [0, 11])[0], seen[[0, 11]], strict=True)


@pytest.mark.parametrize("save", [npz, packed])
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("block_bytes", [64, 1000, 1 << 20])
def test_rows_are_those_asked_for_in_the_order_asked(monkeypatch, save, order: str, block_bytes: int):
    monkeypatch.setattr(archive, "BLOCK_BYTES", block_bytes)
    rows = [11, 0, 5, 5, 2]
    x, y = load_rows(save(x=np.array(X, order=order), y=Y), rows)
    np.testing.assert_array_equal(x, X[rows], strict=True)
    np.testing.assert_array_equal(y, Y[rows], strict=True)


def test_no_rows_are_an_empty_array():
    x, y = load_rows(npz(x=X, y=Y), [])
    assert x.shape == (0, 3, 4, 5)
    assert y.shape == (0,)


@pytest.mark.parametrize("row", [-1, 12])
def test_a_row_that_is_not_there_is_refused(row: int):
    with pytest.raises(Refused, match="from 0 to 11"):
        load_rows(npz(x=X), [row])


def test_blank_images_compress_well_and_are_welcome(inspect):
    x = np.zeros((2000, 28, 28), np.float32)  # 6 MiB
    x[::50] = RNG.random((40, 28, 28))
    data = packed(x=x, y=np.zeros(2000, np.int64))
    assert x.nbytes / len(data) > 20
    assert inspect(data).count == 2000


def test_the_same_label_many_times_is_welcome(inspect):
    data = packed(x=RNG.random((60_000, 8)), y=np.repeat(np.arange(10), 6000))  # y alone: more than 500:1
    assert inspect(data).label_maximum == 9


def test_memory_does_not_grow_with_the_upload(inspect):
    x = np.zeros((1024, 4096))  # 32 MiB unpacked
    x[:, :100] = RNG.random((1024, 100))
    data = packed(x=x)
    tracemalloc.start()
    try:
        assert inspect(data).count == 1024
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 8 << 20


BOMB = packed(x=np.zeros((8192, 4096), np.uint8))  # 32 MiB of zeros, 1000:1
LYING = "{{'descr': '<f4', 'fortran_order': False, 'shape': ({},), }}\n"

UNREADABLE = {
    "nothing": b"",
    "no zip": b"not a zip file at all",
    "a bare npy": npy(X),
    "truncated": npz(x=X)[:-700],
    "cut in the middle": npz(x=X)[:500],
    "a bomb": BOMB,
    "objects": npz(x=np.array([[{"a": 1}], [2]], dtype=object)),
    "text": npz(x=np.array([["a", "b"]])),
    "complex numbers": npz(x=X.astype(complex)),
    "booleans": npz(x=X > 0.5),
    "long doubles": npz(x=X.astype(np.longdouble)),
    "named fields": npz(x=np.zeros((3, 2), dtype=[("a", "f4")])),
    "dates": npz(x=np.zeros((3, 2), dtype="M8[s]")),
    "no x": npz(y=Y),
    "another array": npz(x=X, y=Y, z=Y),
    "not an array": zipped(("x.npy", b"hello, I am no array")),
    "an empty member": zipped(("x.npy", b"")),
    "another ending": zipped(("x", npy(X))),
    "a path": zipped(("../x.npy", npy(X))),
    "nine members": zipped(*((f"{i}.npy", npy(X)) for i in range(9))),
    "bzip2": zipped(("x.npy", npy(X)), method=zipfile.ZIP_BZIP2),
    "lzma": zipped(("x.npy", npy(X)), method=zipfile.ZIP_LZMA),
    "a header of 4 TiB": zipped(("x.npy", header(LYING.format("1099511627776, 1")))),
    "a header that is too small": zipped(("x.npy", npy(X) + b"more")),
    "a header that is too large": zipped(("x.npy", npy(X)[:-1])),
    "a header longer than the file": zipped(("x.npy", b"\x93NUMPY\x02\x00\xff\xff\xff\xff" + bytes(100))),
    "a header without a shape": zipped(("x.npy", header("{'descr': '<f4', 'fortran_order': False, }"))),
    "a header that computes": zipped(("x.npy", header(LYING.format("10**9, 1")))),
    "a negative shape": zipped(("x.npy", header(LYING.format("-1, 1")))),
    "nine axes": zipped(("x.npy", npy(np.zeros((1,) * 9)))),
    "no samples": npz(x=X[:0]),
    "empty samples": npz(x=np.zeros((3, 0))),
    "one axis": npz(x=X.ravel()),
    "no axis": npz(x=np.float32(1)),
    "labels with a fraction": npz(x=X, y=Y.astype(float)),
    "labels that are booleans": npz(x=X, y=Y > 3),
    "labels in two axes": npz(x=X, y=Y[:, None]),
    "too few labels": npz(x=X, y=Y[:-1]),
    "labels beyond int64": npz(x=X, y=np.full(12, 2**63, np.uint64)),
    "labels of 65 characters": npz(x=X, y=np.array(["e" * 65] * 12)),
    "labels in bytes": npz(x=X, y=np.array([b"a"] * 12)),
    "labels that are objects": npz(x=X, y=WORDS.astype(object)),
    "labels in two lines": npz(x=X, y=np.array(["a\nb"] * 12)),
    "labels beyond Unicode": npz(x=X, y=np.full(12, 0x110000, np.uint32).view("<U1")),
    "labels of half a character": npz(x=X, y=np.full(12, 0xD800, np.uint32).view("<U1")),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_what_is_no_samples_upload_is_refused(inspect, case: str):
    with pytest.raises(Refused) as refusal:
        inspect(UNREADABLE[case])
    assert refusal.value.code == "samples_unreadable"
    assert refusal.value.detail.endswith(".")
    assert refusal.value.detail.isascii()


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_numbers_that_are_not_finite_are_refused(inspect, number: float, dtype: str):
    x = X.astype(dtype)
    x[7, 2, 3, 1] = number
    with pytest.raises(Refused) as refusal:
        inspect(npz(x=x))
    assert refusal.value.code == "samples_not_finite"


def test_a_number_that_float32_cannot_hold_is_not_finite(inspect):
    with pytest.raises(Refused) as refusal:
        inspect(npz(x=np.array([[1e300], [0.0]])))
    assert refusal.value.code == "samples_not_finite"


def test_a_member_that_is_in_twice_is_refused(inspect):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        file.writestr("x.npy", npy(X))
        with pytest.warns(UserWarning, match="Duplicate"):
            file.writestr("x.npy", npy(X))
    with pytest.raises(Refused, match="twice"):
        inspect(buffer.getvalue())


def test_an_encrypted_member_is_refused(inspect):
    data = bytearray(npz(x=X))
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    with pytest.raises(Refused, match="encrypted"):
        inspect(bytes(data))


def test_a_member_whose_numbers_were_changed_is_refused(inspect):
    data = bytearray(npz(x=X))
    data[len(data) // 2] ^= 1
    with pytest.raises(Refused, match="damaged"):
        inspect(bytes(data))


def test_a_member_that_unpacks_to_more_than_it_says_is_refused(inspect):
    said = npy(np.zeros((32, 64)))
    data = bytearray(zipped(("x.npy", said + bytes(len(said))), method=zipfile.ZIP_DEFLATED))
    place = data.rindex(b"PK\x01\x02") + 24  # the size that the directory claims
    data[place : place + 4] = struct.pack("<I", len(said))
    with pytest.raises(Refused, match="damaged"):
        inspect(bytes(data))


def test_a_directory_of_a_hundred_thousand_members_is_refused_before_it_is_read(inspect):
    entry = b"PK\x01\x02" + bytes(24) + struct.pack("<H", 1) + bytes(16) + b"x"
    directory = entry * 100_000
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 34464, 34464, len(directory), 0, 0)
    with pytest.raises(Refused, match="directory is too long"):
        inspect(directory + end)


def test_an_upload_that_unpacks_to_more_than_a_gibibyte_is_refused(inspect, monkeypatch):
    monkeypatch.setattr(archive, "MAX_TOTAL_BYTES", 1000)
    with pytest.raises(Refused, match="larger than"):
        inspect(npz(x=X))


GOOD = packed(x=X, y=Y)


def outcome(inspect, data: bytes):
    try:
        return inspect(data).shape
    except Refused as refusal:
        return refusal.code


@settings(
    max_examples=300, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(changes=st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_changed_bytes_are_read_or_refused_and_nothing_else(inspect, changes):
    data = bytearray(GOOD)
    for place, value in changes:
        data[place] = value
    assert outcome(inspect, bytes(data)) in ((3, 4, 5), "samples_unreadable", "samples_not_finite")


@pytest.mark.parametrize(("nbytes", "rows"), [(0, 1), (99, 1), (200, 2), (10_000, 5)])
def test_what_fits_is_counted_in_float32_and_is_at_least_one(nbytes: int, rows: int) -> None:
    assert rows_within(nbytes, 5, (5, 5)) == rows
