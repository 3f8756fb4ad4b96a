"""More rows for what a few cannot settle: whether lists are sorted by score, and which class one number a row is of.

Noise may all be of one class. So where all answers so far fall from the first number to the last, or are one number on
the side of class 1, rows of other kinds are asked, and then a search goes where answers come nearest to telling
otherwise. A list that is sorted never does, however near it comes.
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from algorithms.errors import ModelFault, Refused
from algorithms.seam.access import Rows
from models.endpoints._faults import BAD_RESPONSE, Unordered

ROUNDS, ROWS = 8, 16  # of the search, and of each round
STEPS = np.float32(2) ** np.arange(-6, 5, dtype=np.float32)
SURE = 0.25  # the share of class 1 that the likeliest of three or four classes never has

Numbers = NDArray[np.float64]  # (m, classes)
Ask = Callable[[Rows], Numbers]
Height = Callable[[Numbers], Numbers]  # -> (m,): below 0 a row settles it

IN_ONE_ORDER = (
    "let the endpoint answer all classes in one order and name them, as objects whose members the path can name:"
    " $[*]['first', 'second']; or register its labels (output.kind labels)."
)


def check_lists(ask: Ask, rows: Rows, answers: Numbers) -> None:
    """Refuse scores that fall from the first class to the last in every row that can be found. Raises Refused."""
    has_an_order = bool((answers[:, 0] > answers[:, -1]).any())
    if has_an_order and not _is_settled(ask, rows, answers, _rises, _rises):
        raise _bad(
            f"The scores fall from the first class to the last in every row, as if they were sorted; {IN_ONE_ORDER}"
        )


def check_numbers(ask: Ask, rows: Rows, answers: Numbers) -> None:
    """Refuse one probability a row that is on the side of class 1 in every row that can be found. Raises Refused."""
    if not _is_settled(ask, rows, answers, lambda seen: seen[:, 1] - 0.5, lambda seen: seen[:, 1] - SURE):
        raise _bad(
            "The endpoint answers one number a row, which is not below 1/2 for rows of any kind, as if it said how sure"
            " it is of whichever class it finds; let it answer a number for each class, or register its labels"
            " (output.kind labels)."
        )


def _rises(seen: Numbers) -> Numbers:
    """How far the nearest two neighbors of a row are from changing their order."""
    nearest: Numbers = np.diff(-seen, axis=1).min(axis=1)
    return nearest


def _is_settled(ask: Ask, rows: Rows, answers: Numbers, ordinary: Height, found: Height) -> bool:
    """Whether a row settles it: one of `rows`, one of another kind, or one of a search, which must be beyond doubt."""
    if (ordinary(answers) < 0).any():
        return True
    kept, heights = [rows], [found(answers)]
    for more in _of_other_kinds(rows.shape[1:]):
        seen = _answered(ask, more)
        if seen is None:
            continue
        if (ordinary(seen) < 0).any():
            return True
        kept.append(more)
        heights.append(found(seen))
    return _search(ask, np.concatenate(kept), np.concatenate(heights), found)


def _search(ask: Ask, rows: Rows, heights: Numbers, height: Height) -> bool:
    """Goes from the lowest row by steps of all sizes, across and toward other rows."""
    rng = np.random.default_rng(1)
    for _ in range(ROUNDS):
        lowest = rows[heights.argmin()]
        steps = rng.choice(STEPS, ROWS).reshape(-1, *[1] * lowest.ndim)
        across = rng.standard_normal((ROWS, *lowest.shape), dtype=np.float32)
        toward = rows[rng.integers(len(rows), size=ROWS)] - lowest
        more = lowest + np.where(np.arange(ROWS).reshape(steps.shape) % 2, across, toward) * steps
        seen = _answered(ask, more)
        if seen is None:
            return False
        rows, heights = np.concatenate([rows, more]), np.concatenate([heights, height(seen)])
        if heights.min() < 0:
            return True
    return False


def _of_other_kinds(shape: tuple[int, ...]) -> Iterator[Rows]:
    """Yields even rows, sparse ones, ramps, and noise of several sizes: (m, *shape) each."""
    rng = np.random.default_rng(2)
    noise = rng.standard_normal((8, *shape), dtype=np.float32)
    yield np.stack([np.full(shape, level, np.float32) for level in (0, 0.25, 0.5, 0.75, 1)])
    yield np.where(rng.random(noise.shape) < 0.1, np.abs(noise), 0).astype(np.float32)
    ramp = np.linspace(0, 1, int(np.prod(shape)), dtype=np.float32).reshape(shape)
    yield np.stack([ramp, 1 - ramp])
    for size in (1, 8, 64):
        yield np.concatenate([size * noise, -size * noise])


def _answered(ask: Ask, rows: Rows) -> Numbers | None:
    """None where the endpoint does not take such rows. Raises Unordered."""
    try:
        return ask(rows)
    except Unordered:
        raise
    except ModelFault:
        return None


def _bad(detail: str) -> Refused:
    return Refused(detail, code=BAD_RESPONSE)
