"""What a card is told, without a card: the libraries are made to believe in one."""

import onnxruntime
import pytest
import torch

from models.device import choose, providers


@pytest.mark.parametrize("wanted", ["auto", "cuda"])
def test_a_card_computes_in_float32_and_not_in_tf32(wanted: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(
        onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"]
    )
    before = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    try:
        torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = True
        assert choose(wanted) == "cuda"
        assert not torch.backends.cudnn.allow_tf32 and not torch.backends.cuda.matmul.allow_tf32
    finally:
        torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = before
    assert providers("cuda") == [("CUDAExecutionProvider", {"use_tf32": "0"}), "CPUExecutionProvider"]


def test_the_processor_is_asked_for_nothing() -> None:
    assert choose("cpu") == "cpu"
    assert providers("cpu") == ["CPUExecutionProvider"]
