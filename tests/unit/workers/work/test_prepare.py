"""What a runner says it has made of auxiliary samples is believed only where it can be."""

import numpy as np
import pytest

from workers import frames
from workers.frames import FrameError
from workers.work.prepare import JobPrepared


def said(basis):
    return JobPrepared.read(frames.with_arrays(JobPrepared.kind, {"basis": basis}, seconds=1.0))


def test_a_basis_of_the_samples_is_believed():
    said(np.eye(2, 6, dtype=np.float32)).check(n=2, d=6)


@pytest.mark.parametrize(
    "basis",
    [
        np.zeros((1, 5)),
        np.zeros((3, 6)),
        np.zeros((0, 6)),
        np.full((1, 6), np.nan),
        np.full((1, 6), np.inf),
        np.zeros(6),
        np.zeros(()),
        np.eye(6, dtype=int),
    ],
    ids=["of other samples", "too many", "empty", "no number", "infinite", "a vector", "a number", "integers"],
)
def test_a_basis_that_cannot_be_one_is_not(basis):
    with pytest.raises(FrameError):
        said(basis).check(n=2, d=6)


def test_an_answer_without_a_basis_is_not():
    with pytest.raises(FrameError):
        JobPrepared.read(frames.with_arrays(JobPrepared.kind, {}, seconds=1.0))
