"""The largest gradient norms met in balls, whose points share calls of one size.

blocks of all balls, drawn ahead -> calls filled with them -> norms of every row and rival -> the largest of each ball
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from algorithms.mathematics.streams import BLOCK
from algorithms.seam.access import Labels, Rows
from algorithms.seam.questions.gradient_norms import Differences, Norms
from algorithms.seam.questions.rows import joined
from algorithms.threads import ahead
from models.onnx.session import padded

NORMS = (float("inf"), 2.0, 1.0)  # dual to l1, l2, linf
DRAWN = 2**22  # numbers drawn ahead at the most

Pieces = list[tuple[int, Rows]]  # rows of one call, each part of one ball: its position among those asked about


def drawn(asked: Sequence[Differences], pool: Executor, threads: int) -> Iterator[tuple[int, Rows]]:
    """Yield the blocks (m, *shape) of all balls in order, each with its ball's position, drawn ahead by the pool."""
    blocks = [(k, number) for k, one in enumerate(asked) for number in range(one.ball.counters)]
    most = max(1, min(2 * threads, DRAWN // (BLOCK * asked[0].ball.x.size)))
    return ahead(pool, lambda block: (block[0], asked[block[0]].ball.block(block[1])), blocks, most)


def filled_calls(blocks: Iterable[tuple[int, Rows]], size: int) -> Iterator[Pieces]:
    """Fill calls of `size` rows with the blocks, one after the other. The last may have fewer."""
    parts: Pieces = []
    room = size
    for k, rows in blocks:
        while len(rows):
            parts.append((k, rows[:room]))
            room, rows = room - len(parts[-1][1]), rows[room:]
            if not room:
                yield parts
                parts, room = [], size
    if parts:
        yield parts


def laid_out(asked: Sequence[Differences], parts: Pieces, size: int) -> tuple[Rows, Labels, NDArray[np.int64]]:
    """Lay a call out, filled up to its size: rows (m, *shape), their labels (m,), and as many rivals for each (r, m).

    A ball with fewer rivals than another of the call repeats them.
    """
    most = max(len(asked[k].rivals) for k, _ in parts)
    counts = [len(rows) for _, rows in parts]
    labels = np.repeat([asked[k].label for k, _ in parts], counts)
    rivals = np.repeat([np.resize(asked[k].rivals, most) for k, _ in parts], counts, axis=0)
    return padded(joined([rows for _, rows in parts]), size), padded(labels, size), padded(rivals, size).T


def norms_of_differences(scoring: Callable[[Tensor], Tensor], points: Tensor, labels: Tensor, rivals: Tensor) -> Tensor:
    """Find the norms (r, 3, m) float64 of grad(f_label - f_rival) at points (m, *shape): labels (m,), rivals (r, m).

    One forward pass, then one backward pass a rival; each gradient is reduced to its norms before the next is taken.
    """
    points = points.detach().requires_grad_(True)
    scores = scoring(points)
    at = torch.arange(len(points), device=scores.device)
    found = []
    for j, theirs in enumerate(rivals):
        difference = torch.zeros_like(scores)
        difference[at, labels] = 1
        difference[at, theirs] = -1
        (gradient,) = torch.autograd.grad(scores, points, difference, retain_graph=j < len(rivals) - 1)
        flat = gradient.flatten(1)
        found.append(torch.stack([torch.linalg.vector_norm(flat, p, dim=1, dtype=torch.float64) for p in NORMS]))
    return torch.stack(found)


def largest(asked: Sequence[Differences], met: Iterable[tuple[Pieces, NDArray[np.float64]]]) -> list[Norms]:
    """Reduce the norms (r, 3, m) of calls to the largest of each ball, (3, r): NaN where one is no finite number."""
    maxima = [np.zeros((3, len(one.rivals))) for one in asked]
    for parts, norms in met:
        start = 0
        for k, rows in parts:
            own = norms[: len(asked[k].rivals), :, start : start + len(rows)].max(axis=2)  # (r, 3); NaN stays
            maxima[k] = np.maximum(maxima[k], own.T)
            start += len(rows)
    return [np.where(np.isfinite(every), every, np.nan) for every in maxima]
