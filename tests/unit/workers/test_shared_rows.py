"""What all chunks of a job are given: bounded, the same for each, and only where the method wants it."""

import io
import math

import numpy as np
import pytest

from jobs.spec import JobSpec
from tests.jobs_for_tests import SHAPE, ready_card, samples_card, spec
from workers import shared_rows

X = np.random.default_rng(0).random((10, *SHAPE), np.float32)


def upload() -> bytes:
    file = io.BytesIO()
    np.savez(file, x=X, y=np.arange(10))
    return file.getvalue()


def job(method: str, **samples: object) -> JobSpec:
    return spec(ready_card(), samples_card(**samples), method={"name": method}, samples={"indices": [7, 3]})


def test_the_pool_is_the_beginning_of_the_upload_whatever_was_selected() -> None:
    np.testing.assert_array_equal(shared_rows.pool(job("hopskipjump"), upload()), X)


def test_a_method_that_wants_no_pool_gets_none() -> None:
    assert shared_rows.pool(job("square"), upload()) is None


def test_the_pool_is_bounded_in_rows_and_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared_rows, "POOL_ROWS", 6)
    np.testing.assert_array_equal(shared_rows.pool(job("hopskipjump"), upload()), X[:6])
    monkeypatch.setattr(shared_rows, "POOL_BYTES", 3 * 4 * math.prod(SHAPE))
    np.testing.assert_array_equal(shared_rows.pool(job("hopskipjump"), upload()), X[:3])
