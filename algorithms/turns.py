"""Turns at the model: one half of many conversations writes its questions while the model answers the other half's.

    one half    | writes | asks             | writes |         | asks             |
    the other   | writes |                  | asks             | writes |

A question takes Python some tens of microseconds, and a model in threads of its own need not wait for them. Findings do
not depend on it: a row's answer is the same whatever company it is asked in.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Self, TypeVar

Talker = TypeVar("Talker")


class Turn:
    """Held by whoever asks the model. Where one of those who share it has failed, nobody gets it any more."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.fault: BaseException | None = None

    def __enter__(self) -> Self:
        self._lock.acquire()
        if self.fault is not None:
            self._lock.release()
            raise self.fault
        return self

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def in_turns(work: Callable[[list[Talker], Turn], None], talks: list[Talker], fill: int) -> None:
    """`work` on all talks, or on both halves at once where half of them still fill the model."""
    turn = Turn()
    if len(talks) < 2 * fill:
        work(talks, turn)
        return

    def guarded(half: list[Talker]) -> None:
        try:
            work(half, turn)
        except BaseException as error:
            turn.fault = error
            raise

    with ThreadPoolExecutor(2) as pool:
        for half in [pool.submit(guarded, talks[first::2]) for first in range(2)]:
            half.result()
