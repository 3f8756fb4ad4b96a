"""Calls of one size, and what becomes of them where a card's memory is short. onnxruntime is made to believe in one."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnxruntime.capi.onnxruntime_pybind11_state import RuntimeException

from algorithms.errors import ModelFault
from algorithms.threads import cores
from models.onnx.batch import Batch, CardIsFull
from models.onnx.bounds.bounder import bounder
from models.onnx.classifier import OnnxClassifier
from models.onnx.gradients.differentiator import differentiator
from models.onnx.network import Network, read
from models.onnx.session import CARD_SLICE, Session
from tests.exports import torch_export

ERRORS = [
    torch.OutOfMemoryError("CUDA out of memory"),
    CardIsFull(),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
]


@pytest.mark.parametrize("error", ERRORS, ids=["torch", "onnxruntime", "cuBLAS"])
def test_a_question_that_does_not_fit_is_asked_again_as_a_whole_with_half_the_rows(error: Exception) -> None:
    batch, asked = Batch(128), []

    def question(rows: int) -> int:
        asked.append(rows)
        if rows > 40:
            raise error
        return rows

    assert batch.ask(question) == 32
    assert asked == [128, 64, 32]
    assert str(batch) == "128/64/32"
    assert batch.ask(question) == 32 and asked[3:] == [32]  # it never grows: bits would go back and forth


def test_threads_that_meet_a_full_card_together_halve_once() -> None:
    batch, together = Batch(128), threading.Barrier(4)

    def question(rows: int) -> int:
        if rows == 128:
            together.wait()
            raise CardIsFull
        return rows

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: batch.ask(question), range(4))) == [64] * 4
    assert str(batch) == "128/64"


@pytest.mark.parametrize(("batch", "tries"), [(Batch(5), 2), (Batch(128), 7), (Batch(16, is_given=True), 1)])
def test_a_card_that_has_no_room_at_all_is_a_fault_and_no_number(batch: Batch, tries: int) -> None:
    asked = []

    def question(rows: int) -> None:
        asked.append(rows)
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB")

    with pytest.raises(ModelFault, match="no memory left for this model") as fault:
        batch.ask(question)
    assert len(asked) == tries
    assert "GiB" not in fault.value.detail and "BRINELL_DEVICE=cpu" in fault.value.detail


class Card:
    """What onnxruntime was asked on it, and how many rows there is room for."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.room = 10_000


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Card:
    found, run = Card(), onnxruntime.InferenceSession.run

    def asked(self: Any, names: Any, fed: dict[str, Any]) -> Any:
        (rows,) = fed.values()
        found.sizes.append(len(rows))
        if len(rows) > found.room:
            raise RuntimeException("Failed to allocate memory for requested buffer of size 20000000000")
        return run(self, names, fed)

    monkeypatch.setattr(onnxruntime.InferenceSession, "get_providers", lambda _self: ["CUDAExecutionProvider"])
    monkeypatch.setattr(onnxruntime.InferenceSession, "run", asked)
    return found


@pytest.fixture(scope="module")
def network() -> Network:
    return read(onnx.load_from_string(torch_export("cnn", "classic", 13).data), None)


def on_card(network: Network) -> tuple[Session, Callable[[Any], Any]]:
    session = network.session("cuda")
    return session, lambda rows: session.ask(rows, str(network.rebuilt.scores))


def test_a_card_is_asked_one_number_of_rows_however_many_there_are(card: Card, network: Network) -> None:
    _, scores = on_card(network)
    card.sizes.clear()
    rows = np.random.default_rng(0).random((300, *network.input.shape), dtype=np.float32)
    whole = scores(rows)
    for part in (rows[:1], rows[:127], rows[:128], rows[:129], rows[:0]):
        np.testing.assert_array_equal(scores(part), whole[: len(part)])
    assert set(card.sizes) == {CARD_SLICE}


def test_scores_come_in_smaller_batches_where_a_card_is_short_of_memory(card: Card, network: Network) -> None:
    session, scores = on_card(network)
    rows = np.random.default_rng(0).random((300, *network.input.shape), dtype=np.float32)
    whole = scores(rows)
    card.room = 50
    np.testing.assert_allclose(scores(rows), whole, rtol=1e-5, atol=1e-6)
    assert str(session.batch) == "128/64/32"
    card.room = 1
    with pytest.raises(ModelFault, match="no memory"):
        scores(rows)


def test_a_card_that_answers_otherwise_than_the_processor_is_not_asked(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = str(network.rebuilt.scores)
    expected, run = network.session().ask(network.rows, name), onnxruntime.InferenceSession.run
    made: list[Any] = []

    def otherwise(self: Any, names: Any, fed: Any) -> Any:
        made[:] = made or [self]
        return [answer + (self is made[0]) for answer in run(self, names, fed)]

    monkeypatch.setattr(onnxruntime.InferenceSession, "run", otherwise)  # the first that is asked adds 1
    np.testing.assert_allclose(network.session("cuda").ask(network.rows, name), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("has_provider", [True, False], ids=["onnxruntime on the card", "onnxruntime without one"])
def test_a_model_on_a_card_says_what_the_bits_of_its_answers_depend_on(
    network: Network, monkeypatch: pytest.MonkeyPatch, has_provider: bool
) -> None:
    providers = ["CUDAExecutionProvider"] * has_provider + ["CPUExecutionProvider"]
    monkeypatch.setattr(onnxruntime.InferenceSession, "get_providers", lambda _self: providers)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "NVIDIA H200")
    monkeypatch.setattr(torch.version, "cuda", "13.0")
    monkeypatch.setattr(torch.backends.cudnn, "version", lambda: 91900)
    gradients, bounds = differentiator(network, "cpu"), bounder(network, "cpu")
    told = OnnxClassifier(network, gradients, "cuda", bounds).computed_with()
    parts = f"gradients {gradients.batch}, bounds {bounds.batch}"
    assert told == {
        "card": "NVIDIA H200",
        "cuda": "13.0",
        "cudnn": "91900",
        "provider": providers[0],
        "batch": f"scores {CARD_SLICE}, {parts}" if has_provider else parts,
    }
    assert OnnxClassifier(network, gradients, "cpu", bounds).computed_with() == {}


def test_without_onnxruntimes_cuda_build_all_threads_of_the_processor_answer(network: Network) -> None:
    session = network.session("cuda")
    rows = np.random.default_rng(0).random((300, *network.input.shape), dtype=np.float32)
    name = str(network.rebuilt.scores)
    np.testing.assert_array_equal(session.ask(rows, name), network.session().ask(rows, name))
    assert (session.provider, session.batch, session.threads) == ("CPUExecutionProvider", None, cores())
