"""The pipe protocol: what goes in comes out, and no hostile writer costs its reader more than was allowed."""

import io
import json
import struct

import numpy as np
import pytest

from workers import frames
from workers.frames import Frame, FrameError

LIMIT = 1 << 20


def through_the_pipe(frame: Frame, limit: int = LIMIT) -> Frame:
    pipe = io.BytesIO()
    frames.write(pipe, frame)
    pipe.seek(0)
    arrived = frames.read(pipe, limit)
    assert arrived is not None
    return arrived


def raw(header: object, tail: bytes = b"") -> io.BytesIO:
    encoded = header if isinstance(header, bytes) else json.dumps(header).encode()
    return io.BytesIO(struct.pack(">I", len(encoded)) + encoded + tail)


def test_fields_and_blobs_arrive_as_they_were_sent():
    sent = Frame("open", {"card": {"id": "mdl_1", "shape": [1, 2]}}, {"model": b"\x00\xff" * 100, "empty": b""})
    assert through_the_pipe(sent) == sent


def test_frames_follow_one_another_and_the_end_of_the_pipe_is_none():
    pipe = io.BytesIO()
    for number in range(3):
        frames.write(pipe, Frame("progress", {"samples_done": number}))
    pipe.seek(0)
    assert [frames.read(pipe, 0).fields["samples_done"] for _ in range(3)] == [0, 1, 2]
    assert frames.read(pipe, 0) is None


def test_arrays_keep_their_numbers_shape_and_kind():
    rng = np.random.default_rng(0)
    x, index = rng.normal(size=(3, 2, 4)).astype(np.float32), np.arange(3)
    arrived = through_the_pipe(frames.with_arrays("done", {"x": x, "index": index}, warnings=[]))
    arrays = arrived.arrays()
    np.testing.assert_array_equal(arrays["x"], x)
    assert arrays["x"].dtype == np.float32
    np.testing.assert_array_equal(arrays["index"], index)


def test_an_array_without_rows_keeps_its_shape():
    empty = np.zeros((0, 3, 3), np.float32)
    assert through_the_pipe(frames.with_arrays("done", {"x": empty})).arrays()["x"].shape == (0, 3, 3)


@pytest.mark.parametrize(
    "described",
    [["<f4", [5]], ["<f4", [2, -1]], ["O", [1]], ["<f8", [2]], ["<f4", "4"], ["<f4", [1 << 40, 1 << 40]], None],
    ids=["too large", "negative", "objects", "unknown kind", "shape is text", "overflow", "nothing"],
)
def test_an_array_that_differs_from_its_description_is_refused(described):
    frame = Frame("done", {"arrays": {"x": described}}, {"x": b"\x00" * 16})
    with pytest.raises(FrameError):
        frame.arrays()


def test_blobs_over_the_limit_are_refused_before_they_are_read():
    pipe = raw({"kind": "done", "fields": {}, "blobs": [["x", LIMIT + 1]]})
    with pytest.raises(FrameError, match="larger than its reader allows"):
        frames.read(pipe, LIMIT)


def test_many_small_blobs_count_together():
    pipe = raw({"kind": "done", "fields": {}, "blobs": [["a", LIMIT], ["b", 1]]})
    with pytest.raises(FrameError, match="larger than its reader allows"):
        frames.read(pipe, LIMIT)


@pytest.mark.parametrize(
    "header",
    [
        b"not json",
        b"[" * 100_000,
        [],
        {"kind": "done"},
        {"kind": 1, "fields": {}, "blobs": []},
        {"kind": "done", "fields": [], "blobs": []},
        {"kind": "done", "fields": {}, "blobs": [["x", -1]]},
        {"kind": "done", "fields": {}, "blobs": [["x", 1.5]]},
        {"kind": "done", "fields": {}, "blobs": [["x", True]]},
        {"kind": "done", "fields": {}, "blobs": [[{}, 1]]},
        {"kind": "done", "fields": {}, "blobs": 3},
    ],
    ids=[f"header {n}" for n in range(11)],
)
def test_a_header_that_is_not_ours_is_refused(header):
    with pytest.raises(FrameError):
        frames.read(raw(header, b"x" * 10), LIMIT)


def test_a_lying_header_size_is_refused_before_anything_is_read():
    with pytest.raises(FrameError, match="too large"):
        frames.read(io.BytesIO(b"\xff\xff\xff\xff" + b"x" * 100), LIMIT)


@pytest.mark.parametrize("cut", [1, 3, 4, 20, -1])
def test_a_pipe_that_ends_inside_a_frame_is_noticed(cut):
    pipe = io.BytesIO()
    frames.write(pipe, Frame("open", {}, {"model": b"abc"}))
    with pytest.raises(FrameError):
        frames.read(io.BytesIO(pipe.getvalue()[:cut]), LIMIT)


def test_a_header_too_large_to_be_read_is_not_written():
    with pytest.raises(FrameError):
        frames.write(io.BytesIO(), Frame("run", {"indices": "x" * frames.MAX_HEADER}))
