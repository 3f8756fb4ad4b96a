"""Calls recorded on a card and played again: one launch in place of a thousand, with the same bits.

Below some thousand rows a call takes as long as Python and the driver need to launch its kernels. A CUDA graph keeps
them with their places in memory, so what is asked is copied to where they read, and the answer from where they write.
"""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

OFTEN = 3  # calls of the same shapes before one is recorded, which takes as long as a few dozen
MOST = 4  # recordings, each with memory of its own for what goes in and comes out

Function = Callable[..., Tensor]


class Recording:
    """A recording is a function of tensors on a card, as it was called once with tensors of these shapes."""

    def __init__(self, function: Function, given: tuple[Tensor, ...], pool: Any) -> None:
        """Raise whatever stands in the way: a function that waits for the card half-way cannot be recorded."""
        self._given = tuple(each.clone() for each in given)
        aside = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):  # libraries make room for themselves at a stream's first call
            function(*self._given)
        torch.cuda.current_stream().wait_stream(aside)
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph, pool=pool, capture_error_mode="thread_local"):
            self._answer = function(*self._given)

    def play(self, given: tuple[Tensor, ...]) -> Tensor:
        with torch.no_grad():
            for own, each in zip(self._given, given, strict=True):
                own.copy_(each)
            self._graph.replay()
            return self._answer.clone()


class Recorder:
    """A recorder calls a function of tensors, and plays recordings of it where it is asked often.

    One call at a time is begun; the card works on behind. A function that cannot be recorded is called as ever.
    """

    def __init__(self, function: Function, device: str, record: Callable[..., Any] = Recording) -> None:
        self._function, self._device, self._record = function, device, record
        self._asked: Counter[Any] = Counter()
        self._kept: dict[Any, Any] = {}
        self._pool: Any = None
        self._one = threading.Lock()

    def __call__(self, *given: Tensor) -> Tensor:
        """Answer as the function does for these, wherever they are."""
        shapes = tuple(each.shape for each in given)
        with self._one:
            self._asked[shapes] += 1
            if self._asked[shapes] == OFTEN and len(self._kept) < MOST:
                self._keep(shapes, given)
            recording = self._kept.get(shapes)
            if recording is not None:
                answer: Tensor = recording.play(given)
                return answer
            return self._function(*(each.to(self._device) for each in given))

    def _keep(self, shapes: Any, given: tuple[Tensor, ...]) -> None:
        try:
            if self._pool is None and self._device != "cpu":
                self._pool = torch.cuda.graph_pool_handle()
            there = tuple(each.to(self._device) for each in given)
            self._kept[shapes] = self._record(self._function, there, self._pool)
        except Exception:  # of other people's graphs, which may wait, or want memory that is not there
            self._asked[shapes] = OFTEN  # it is not tried again
