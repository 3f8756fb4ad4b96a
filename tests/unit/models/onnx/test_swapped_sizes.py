"""Threads that ask one model while a full card halves its calls: each answer is of one size, whole."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import onnx
import pytest
import torch
from torch import nn

from algorithms.mathematics.norms import Norm
from algorithms.mathematics.streams import Stream
from algorithms.seam.questions.gradient_norms import Ball, Differences
from algorithms.seam.questions.margins import Region
from algorithms.threats.threat import Box, Threat
from models.onnx.batch import Batch
from models.onnx.bounds import bounder as bounds
from models.onnx.bounds.bounder import Bounder, bounder
from models.onnx.gradients.differentiator import Differentiator
from models.onnx.network import Network, read
from tests.exports import torch_export
from tests.patience import PATIENCE_SECONDS

ROWS = np.random.default_rng(0).random((150, 6), dtype=np.float32)
SIZES = (64, 32, 16, 8)


class Sized(nn.Module):
    """A network made for so many rows: its answers tell for how many, and it refuses to be asked others."""

    def __init__(self, size: int, meanwhile: Callable[[], None] = lambda: None) -> None:
        super().__init__()
        self.size, self.meanwhile = size, meanwhile
        with torch.random.fork_rng():
            torch.manual_seed(3)
            self.body = nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 4)).requires_grad_(False)

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        self.meanwhile()
        assert len(rows) == self.size
        found: torch.Tensor = self.body(rows) * (1 + self.size)
        return found


def differentiator(size: int, meanwhile: Callable[[], None] = lambda: None) -> Differentiator:
    return Differentiator(Sized(size, meanwhile), (), Batch(size), "cpu", Sized)


def halve(batch: Batch, rows: int) -> None:
    """Do to the batch what another thread does that meets a card with room for so many rows."""

    def question(size: int) -> None:
        if size > rows:
            raise torch.OutOfMemoryError("CUDA out of memory")

    batch.ask(question)


def by_rows(found: Differentiator) -> Any:
    return found.gradients(ROWS, lambda scores, _: np.cos(np.asarray(scores)))


def by_norms(found: Differentiator) -> Any:
    ball = Ball(ROWS[0], 0.5, Threat(Norm.L2, Box(0.0, 1.0)), "radial", 150, Stream(0, 0, "clever"), 1)
    return found.largest_gradient_norms([Differences(ball, 0, np.array([1, 2, 3]))])


def by_products(found: Differentiator) -> Any:
    zeros = np.zeros(len(ROWS), np.int64)
    return [found.hessian_products(ROWS, ROWS[::-1].copy(), zeros, zeros + 1)]


QUESTIONS = [by_rows, by_norms, by_products]
every_question = pytest.mark.parametrize("asked", QUESTIONS, ids=["rows", "norms", "products"])


def same(one: Any, other: Any) -> bool:
    return all(np.array_equal(ours, theirs) for ours, theirs in zip(one, other, strict=True))


@every_question
def test_a_question_under_way_keeps_its_size_when_another_thread_halves_it(asked: Callable[[Any], Any]) -> None:
    found = differentiator(64, lambda: halve(found.batch, 32))
    assert same(asked(found), asked(differentiator(64)))
    assert same(asked(found), asked(differentiator(32)))
    assert str(found.batch) == "64/32"


@every_question
def test_answers_to_threads_that_ask_while_calls_are_halved_are_each_of_one_size(asked: Callable[[Any], Any]) -> None:
    right = [asked(differentiator(size)) for size in SIZES]
    together = threading.Barrier(4, timeout=PATIENCE_SECONDS)
    found = differentiator(SIZES[0])

    def asking(thread: int) -> list[Any]:
        answers = []
        try:
            for size in SIZES:
                together.wait()
                if thread == 0:
                    halve(found.batch, size)
                answers += [asked(found) for _ in range(3)]
        except BaseException:
            together.abort()  # the others need not wait for it
            raise
        return answers

    with ThreadPoolExecutor(4) as pool:
        answers = [answer for each in pool.map(asking, range(4)) for answer in each]
    assert all(any(same(answer, each) for each in right) for answer in answers)
    assert same(asked(found), right[-1])


@pytest.fixture(scope="module")
def network() -> Network:
    return read(onnx.load_from_string(torch_export("cnn", "classic", 13).data), None)


def margins(found: Bounder, network: Network) -> Any:
    rows = np.random.default_rng(1).random((20, *network.input.shape), dtype=np.float32)
    labels = np.zeros(20, np.int64)
    rivals = np.tile(np.arange(1, 4), (20, 1))
    return found.margins(Region(rows, np.full(20, 0.05), Threat(Norm.L2, Box(0.0, 1.0))), labels, rivals, "crown")


def test_bounds_under_way_keep_their_size_and_later_ones_stand_on_nothing_of_another(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A value's dual norms are kept once found: those of one size are no other's."""
    whole, half = margins(bounder(network, "cpu"), network), bounder(network, "cpu")
    halve(half.batch, 8)
    found, buckets = bounder(network, "cpu"), bounds.buckets

    def met(count: int, size: int, device: Any) -> Any:
        halve(found.batch, 8)
        return buckets(count, size, device)

    monkeypatch.setattr(bounds, "buckets", met)
    np.testing.assert_array_equal(margins(found, network), whole)
    monkeypatch.setattr(bounds, "buckets", buckets)
    np.testing.assert_array_equal(margins(found, network), margins(half, network))
    assert str(found.batch) == "16/8"
    assert {size for _, _, size in found._known_norms} == {512, 256}
