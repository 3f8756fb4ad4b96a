"""What a card is told, without a card: the libraries are made to believe in one."""

from collections.abc import Iterator

import onnxruntime
import pytest
import torch

from models.device import choose, compute_exactly, providers, warm_up
from models.onnx.batch import Batch
from models.onnx.bounds.bounder import Bounder
from models.onnx.gradients.differentiator import Differentiator

EXACT = {"allow_tf32": False, "deterministic": True, "benchmark": False}


@pytest.fixture
def flags() -> Iterator[None]:
    """As torch has them by itself, or worse."""
    cudnn, matmul = torch.backends.cudnn, torch.backends.cuda.matmul
    before = {name: getattr(cudnn, name) for name in EXACT}, matmul.allow_tf32
    cudnn.allow_tf32 = cudnn.benchmark = matmul.allow_tf32 = True
    cudnn.deterministic = False
    yield
    matmul.allow_tf32 = before[1]
    for name, value in before[0].items():
        setattr(cudnn, name, value)


def are_exact() -> bool:
    cudnn = torch.backends.cudnn
    return {name: getattr(cudnn, name) for name in EXACT} == EXACT and not torch.backends.cuda.matmul.allow_tf32


@pytest.mark.usefixtures("flags")
def test_a_card_computes_in_float32_and_with_the_same_bits_each_time() -> None:
    compute_exactly("cuda")
    assert are_exact()


@pytest.mark.usefixtures("flags")
@pytest.mark.parametrize("made", ["gradients", "bounds"])
def test_whatever_computes_on_a_card_does_so_whoever_chose_it(made: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = torch.nn.Identity()
    monkeypatch.setattr(torch.nn.Module, "to", lambda self, _device: self)  # there is none
    if made == "gradients":
        Differentiator(module, (), Batch(2), "cuda", lambda _size: module)
    else:
        with pytest.raises(AttributeError):  # without a plan, which it reads next
            Bounder(None, "cuda")  # type: ignore[arg-type]
    assert are_exact()


@pytest.mark.parametrize("wanted", ["auto", "cuda"])
def test_the_card_is_chosen_where_there_is_one(wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert choose(wanted) == "cuda"


def test_onnxruntime_computes_on_the_card_as_it_did_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"]
    )
    card, processor = providers("cuda")
    assert card[0] == "CUDAExecutionProvider" and processor == "CPUExecutionProvider"
    assert card[1]["use_tf32"] == "0" and card[1]["cudnn_conv_algo_search"] == "HEURISTIC"  # no stopwatch


def test_the_processor_is_asked_for_nothing() -> None:
    assert choose("cpu") == "cpu"
    assert providers("cpu") == ["CPUExecutionProvider"]


@pytest.mark.usefixtures("flags")
def test_a_card_without_room_is_no_reason_not_to_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch, "ones", full)
    warm_up()
