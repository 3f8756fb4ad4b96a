"""How many rows a model is asked at a time where that is fixed: its bits depend on it, and so does its memory."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import torch

from algorithms.errors import ModelFault

Answer = TypeVar("Answer")

FEWEST = 2  # a single row takes another kernel
# What onnxruntime's arena, CUDA, cuDNN and cuBLAS say of a full card. torch has an exception of its own for its arena.
FULL = ("Failed to allocate memory", "out of memory", "ALLOC_FAILED")


class CardIsFull(Exception):
    """A card has no memory left for a call."""


def is_full(error: Exception) -> bool:
    """Tell whether a card had no memory, by an exception for that or by what its libraries say."""
    if isinstance(error, torch.OutOfMemoryError | CardIsFull):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in FULL)


class Batch:
    """A batch is the number of rows of every call: padded where there are fewer, cut where there are more.

    Where a card has no memory for so many it is halved, for good, and the whole question is asked again, so that no
    answer mixes two sizes. `is_given`: the graph takes this number alone.
    """

    def __init__(self, rows: int, *, is_given: bool = False) -> None:
        self.rows = rows
        self._is_given = is_given
        self._had: tuple[int, ...] = ()
        self._halving = threading.Lock()

    def __str__(self) -> str:
        """Return the rows a call now, and before it those that were too many."""
        return "/".join(map(str, (*self._had, self.rows)))

    def ask(self, question: Callable[[int], Answer]) -> Answer:
        """Ask a question that is handed its rows a call, fewer until the card has memory for them.

        It reads them nowhere else: another thread may halve them meanwhile. Raises ModelFault where no number fits.
        """
        while True:
            tried = self.rows
            try:
                return question(tried)
            except Exception as error:
                if not is_full(error):
                    raise
                if self._is_given or tried <= FEWEST:
                    raise _no_room() from error
            with self._halving:
                if self.rows == tried:  # else another thread has met the same
                    self._had += (tried,)
                    self.rows = max(FEWEST, tried // 2)
            torch.cuda.empty_cache()  # what the call held went with its exception


@contextmanager
def filling_a_card() -> Iterator[None]:
    """Raise ModelFault where a card has no memory for what is put there."""
    try:
        yield
    except Exception as error:
        if not is_full(error):
            raise
        raise _no_room() from error


def _no_room() -> ModelFault:
    return ModelFault(
        "The worker's card has no memory left for this model, however few rows it is asked at a time; use a smaller"
        " model, or have the operator give the worker a card of its own or the processor (BRINELL_DEVICE=cpu)."
    )
