"""Parts that threads share: in order whoever made them, and none begun after one has failed."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from algorithms.threads import shared_out
from tests.patience import PATIENCE_SECONDS


@pytest.mark.parametrize("parts", [0, 1, 2, 50])
def test_what_is_made_of_each_part_comes_in_their_order(parts: int) -> None:
    with ThreadPoolExecutor(3) as pool:
        assert shared_out(pool, 3, lambda part: part**2, range(parts)) == [part**2 for part in range(parts)]


def test_all_threads_work_at_once() -> None:
    together = threading.Barrier(3, timeout=PATIENCE_SECONDS)
    with ThreadPoolExecutor(3) as pool:
        assert sorted(shared_out(pool, 3, lambda _: together.wait(), range(3))) == [
            0,
            1,
            2,
        ]  # a barrier counts who came


def test_no_part_is_begun_after_one_has_failed() -> None:
    begun: list[int] = []

    def work(part: int) -> None:
        begun.append(part)
        if part == 4:
            raise IndexError(part)

    with ThreadPoolExecutor(1) as pool, pytest.raises(IndexError, match="4"):
        shared_out(pool, 1, work, range(100))
    assert begun == [0, 1, 2, 3, 4]


def test_nothing_is_under_way_any_more_when_a_failure_is_told() -> None:
    together, over = threading.Barrier(2, timeout=PATIENCE_SECONDS), threading.Event()

    def work(part: int) -> None:
        together.wait()
        if part == 0:
            raise IndexError(part)
        over.wait(0.05)  # the other has failed long before
        over.set()

    with ThreadPoolExecutor(2) as pool:
        with pytest.raises(IndexError, match="0"):
            shared_out(pool, 2, work, range(2))
        assert over.is_set()
