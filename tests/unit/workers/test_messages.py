"""Messages: what is said arrives as it was said, and what cannot have been said is not heard."""

import numpy as np
import pytest

from workers import frames
from workers.frames import Frame, FrameError
from workers.kinds import ANSWERS, KINDS_OF_WORK
from workers.messages import (
    CallPermission,
    Fault,
    Floats,
    Integers,
    Message,
    NamedArrays,
    NotAccepted,
    Progressed,
    TurnsAsked,
    TurnsGranted,
)
from workers.outcomes import ChunkDone


class Sample(Message):
    """One of each kind of thing that a message can carry."""

    kind = "sample"

    numbers: Floats
    labels: Integers | None = None
    text: bytes = b""
    indices: tuple[int, ...] = ()
    made: NamedArrays = {}


def test_what_was_said_arrives():
    made = {"a": np.zeros((0, 2), np.float32), "b.c": np.arange(2), "d": np.float32([[1]])}
    said = Sample(numbers=np.full((2, 3), 0.1, np.float32), labels=np.arange(3), text=b"abc", indices=(1, 2), made=made)
    heard = Sample.read(said.frame())
    np.testing.assert_array_equal(heard.numbers, said.numbers)
    np.testing.assert_array_equal(heard.labels, said.labels)
    assert (heard.text, heard.indices) == (b"abc", (1, 2))
    assert heard.made.keys() == made.keys()
    for name, array in made.items():
        np.testing.assert_array_equal(heard.made[name], array, strict=True)
    assert Sample.read(Sample(numbers=np.zeros((), np.float32)).frame()).labels is None


@pytest.mark.parametrize(
    "frame",
    [
        Frame("sample"),
        Frame("other", {}, {"numbers": b"1234"}),
        Frame("sample", {"numbers": [1.0]}),
        Frame("sample", {}, {"numbers": b"1234"}),
        Frame("sample", {"arrays": {"numbers": ["<i8", [1]]}}, {"numbers": b"12345678"}),
        Frame("sample", {"arrays": {"numbers": ["<f4", [2]]}}, {"numbers": b"1234"}),
        Frame("sample", {"arrays": [["<f4", [1]]]}, {"numbers": b"1234"}),
        Frame("sample", {"arrays": {a: ["<f4", [0]] for a in ("numbers", "text")}}, {"numbers": b"", "text": b""}),
        Frame("sample", {"arrays": {"numbers": ["<f4", [1]]}, "more": 1}, {"numbers": b"1234"}),
        Frame("sample", {"arrays": {"numbers": ["<f4", [1]]}}, {"numbers": b"1234", "self": b"1"}),
        Frame("sample", {"arrays": {"numbers": ["<f4", [1]]}}, {"numbers": b"1234", "made.a": b"1"}),
        Frame("sample", {"arrays": {"numbers": ["<f4", [1]]}, "made": {"a": [1.0]}, "made.a": 2}, {"numbers": b"1234"}),
        Frame("sample", {"arrays": {"numbers": ["<f4", [1]]}}, {"numbers": b"1234", "mode.a": b"1"}),
    ],
    ids=[
        *("nothing", "out of turn", "a list", "bytes", "integers", "another size", "no description"),
        *("an array for bytes", "one field more", "one blob more"),
        *("bytes for a named array", "a list for a named array", "a named array of no field"),
    ],
)
def test_what_is_not_such_a_message_is_not_read(frame):
    with pytest.raises(FrameError):
        Sample.read(frame)


@pytest.mark.parametrize("fields", [{}, {"detail": 3}, {"detail": "x" * 5000}], ids=["none", "no text", "long"])
def test_a_fault_or_refusal_without_a_readable_sentence_is_a_broken_protocol(fields):
    for message in (Fault, NotAccepted):
        with pytest.raises(FrameError):
            message.read(Frame(message.kind, {"code": "model_fault", **fields}))


@pytest.mark.parametrize("code", ["endpoint_unavailable", "endpoint_bad_response", "model_fault"])
def test_a_fault_has_one_of_three_codes(code):
    assert Fault.read(Frame("fault", {"code": code, "detail": "So."})).code == code


@pytest.mark.parametrize("code", [None, "internal", "deadline", 7])
def test_a_fault_of_another_code_is_a_broken_protocol(code):
    with pytest.raises(FrameError):
        Fault.read(Frame("fault", {"code": code, "detail": "So."}))


def answer(**changes):
    arrays = {name: np.zeros(0, np.int64) for name in ("index", "label")} | {"x": np.zeros((0, 1), np.float32)}
    fields = {"seconds": 1.0, "http_calls": 0, "device": "cpu"} | changes
    frame = frames.with_arrays(ChunkDone.kind, arrays, **fields)
    return Frame(frame.kind, frame.fields, {**frame.blobs, "findings": b"[]"})


@pytest.mark.parametrize("value", [None, "1", -1.0, True, float("nan"), float("inf")], ids=str)
def test_a_time_that_is_none_is_a_broken_protocol(value):
    ChunkDone.read(answer())
    for message, frame in ((ChunkDone, answer(seconds=value)), (TurnsGranted, Frame("granted", {"seconds": value}))):
        with pytest.raises(FrameError):
            message.read(frame)


@pytest.mark.parametrize("value", [None, -1, "3", 2.5, True], ids=str)
def test_a_count_that_is_none_is_a_broken_protocol(value):
    told = {"samples_done": 1, "fraction": 0.5, "queries": 10, "gradients": 0}
    Progressed.read(Frame("progress", told))
    with pytest.raises(FrameError):
        Progressed.read(Frame("progress", told | {"queries": value}))
    with pytest.raises(FrameError):
        ChunkDone.read(answer(http_calls=value))


def test_progress_says_nothing_of_states():
    told = {"samples_done": 1, "fraction": 0.5, "queries": 10, "gradients": 0}
    with pytest.raises(FrameError):
        Progressed.read(Frame("progress", {**told, "state": "succeeded"}))


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"calls": 0, "hold": 0.0},
        {"calls": "1", "hold": 0.0},
        {"calls": 1},
        {"calls": 1, "hold": -1.0},
        {"calls": 1, "hold": 1e9},
        {"calls": 1, "hold": float("nan")},
    ],
    ids=str,
)
def test_a_wish_for_turns_that_cannot_be_is_a_broken_protocol(fields):
    with pytest.raises(FrameError):
        TurnsAsked.read(Frame("turns", fields))


def test_a_permission_is_never_printed_with_its_secret():
    assert "canary" not in repr(CallPermission(trusted=True, credential=("X-Api-Key", "canary")))


def test_every_message_to_a_runner_begins_with_the_name_of_its_kind_of_work():
    for name, kind in KINDS_OF_WORK.items():
        assert {answer.asked.kind.partition(".")[0] for answer in kind.answers} <= {name}
    assert len(ANSWERS) == sum(len(kind.answers) for kind in KINDS_OF_WORK.values())
