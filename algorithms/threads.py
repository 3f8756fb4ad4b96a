"""Work done by threads a few parts ahead of whoever waits for it, in order: what is held at once stays bounded.

NumPy lets other threads run while it draws or computes on large arrays. Small ones cost more to hand over than to make.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from itertools import islice
from typing import Protocol, TypeVar

LARGE = 2**15  # numbers in a part from which on threads are worth it: some 0.3 ms to draw

Part = TypeVar("Part")
Made = TypeVar("Made")


class Work(Protocol):
    """A work is a `map`: what a function makes of each part, in order."""

    def __call__(self, work: Callable[[Part], Made], parts: Iterable[Part], /) -> Iterator[Made]: ...


def cores() -> int:
    """Count the processors this process may use."""
    return len(os.sched_getaffinity(0))


def ahead(pool: Executor, work: Callable[[Part], Made], parts: Iterable[Part], most: int) -> Iterator[Made]:
    """Yield what `work` makes of each part, in order; `most` parts at the most are begun and not yet asked for.

    Nothing is under way any more once the iterator is closed.
    """
    parts = iter(parts)
    begun: list[Future[Made]] = [pool.submit(work, part) for part in islice(parts, most)]
    try:
        while begun:
            made = begun.pop(0).result()
            begun.extend(pool.submit(work, part) for part in islice(parts, 1))
            yield made
    finally:
        for future in begun:
            future.cancel()
        wait(begun)


def shared_out(pool: Executor, threads: int, work: Callable[[Part], Made], parts: Sequence[Part]) -> list[Made]:
    """Return what `work` makes of each part, in order; each of so many threads takes the next when it is free.

    For parts whose answers are held together anyway: whoever waits is woken once, and not at every part.
    """
    made: dict[int, Made] = {}
    places = iter(range(len(parts)))

    def take() -> None:
        try:
            for place in places:
                made[place] = work(parts[place])
        except BaseException:
            deque(places, maxlen=0)  # nobody takes another
            raise

    takers = [pool.submit(take) for _ in range(min(threads, len(parts)))]
    wait(takers)
    for taker in takers:
        taker.result()
    return [made[place] for place in range(len(parts))]


@contextmanager
def side_by_side(numbers: int) -> Iterator[Work]:
    """Give a map whose parts are worked side by side, a few ahead, if each is about so many numbers that it pays.

    What was begun is over when the context is left.
    """
    threads = cores()
    if numbers < LARGE or threads == 1:
        yield map
        return
    with ThreadPoolExecutor(threads) as pool:
        yield lambda work, parts: ahead(pool, work, parts, threads + 1)
