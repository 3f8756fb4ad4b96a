"""Work done by a pool a few parts ahead of whoever waits for it, in order: what is held at once stays bounded."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from itertools import islice
from typing import TypeVar

Part = TypeVar("Part")
Made = TypeVar("Made")


def ahead(pool: Executor, work: Callable[[Part], Made], parts: Iterable[Part], most: int) -> Iterator[Made]:
    """Yield what `work` makes of each part, in order; `most` parts at the most are begun and not yet asked for."""
    parts = iter(parts)
    begun: list[Future[Made]] = [pool.submit(work, part) for part in islice(parts, most)]
    while begun:
        made = begun.pop(0).result()
        begun.extend(pool.submit(work, part) for part in islice(parts, 1))
        yield made
