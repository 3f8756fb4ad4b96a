"""When calls are recorded, and that what cannot be recorded is called: on a stand-in, for a recording needs a card."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch

from models.onnx.gradients.recording import MOST, OFTEN, Recorder


class Doubling:
    """A function that counts its calls by how many numbers it was asked about, and recordings of it."""

    def __init__(self, *, can_be_recorded: bool = True) -> None:
        self.called, self.recorded, self.played = Counter(), Counter(), Counter()
        self._can_be_recorded = can_be_recorded
        self._busy = threading.Lock()

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        self.called[len(x)] += 1
        return 2 * x

    def record(self, function, given, pool):
        (x,) = given
        self.recorded[len(x)] += 1
        if not self._can_be_recorded:
            raise RuntimeError("operation not permitted when stream is capturing")
        return self

    def play(self, given: tuple[torch.Tensor]) -> torch.Tensor:
        (x,) = given
        assert self._busy.acquire(blocking=False), "two at once would write to the same memory"
        self.played[len(x)] += 1
        self._busy.release()
        return 2 * x


def test_a_call_is_recorded_once_its_shapes_come_often() -> None:
    function = Doubling()
    recorder = Recorder(function, "cpu", function.record)
    for _ in range(10):
        assert recorder(torch.ones(4)).tolist() == [2] * 4
    recorder(torch.ones(5))
    assert (function.called, function.recorded) == ({4: OFTEN - 1, 5: 1}, {4: 1})
    assert function.played == {4: 10 - (OFTEN - 1)}


def test_what_cannot_be_recorded_is_tried_once_and_called_as_ever() -> None:
    function = Doubling(can_be_recorded=False)
    recorder = Recorder(function, "cpu", function.record)
    for _ in range(10):
        assert recorder(torch.ones(4)).tolist() == [2] * 4
    assert (function.called, function.recorded) == ({4: 10}, {4: 1})


def test_only_so_many_recordings_are_kept() -> None:
    function = Doubling()
    recorder = Recorder(function, "cpu", function.record)
    for size in range(1, MOST + 3):
        for _ in range(OFTEN + 1):
            assert len(recorder(torch.ones(size))) == size
    assert function.recorded == dict.fromkeys(range(1, MOST + 1), 1)
    assert function.called[MOST + 2] == OFTEN + 1


def test_threads_play_one_at_a_time() -> None:
    function = Doubling()
    recorder = Recorder(function, "cpu", function.record)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda k: recorder(torch.full((3,), float(k))).tolist(), range(200)))
    assert found == [[2.0 * k] * 3 for k in range(200)]
    assert function.recorded == {3: 1}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA card")
def test_a_recording_has_the_bits_of_the_call_and_of_what_it_is_asked_now() -> None:
    weights = torch.randn(64, 64, device="cuda")

    def norms(x: torch.Tensor, at: torch.Tensor) -> torch.Tensor:
        x = x.detach().requires_grad_(True)
        (gradient,) = torch.autograd.grad((x @ weights).tanh()[torch.arange(len(at), device="cuda"), at].sum(), x)
        return gradient

    recorder, rng = Recorder(norms, "cuda"), torch.Generator().manual_seed(0)
    for _ in range(3 * OFTEN):
        x, at = torch.randn(32, 64, generator=rng), torch.randint(0, 64, (32,), generator=rng)
        torch.testing.assert_close(recorder(x, at), norms(x.cuda(), at.cuda()), rtol=0, atol=0)
    assert len(recorder._kept) == 1
