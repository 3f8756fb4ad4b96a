"""Where tensors live: the one place that chooses between the processor and a CUDA card.

A card multiplies in float32, not in TF32, which keeps 10 bits of 23: bounds promise what float32 computes.
"""

from typing import Literal

from algorithms.errors import Unavailable

Device = Literal["cpu", "cuda"]


def choose(wanted: str) -> Device:
    """Choose the card that torch finds (`auto`), or what is named. Raises Unavailable for a card that is not there."""
    if wanted == "cpu":
        return "cpu"
    import torch

    if torch.cuda.is_available():
        torch.backends.cudnn.allow_tf32 = False
        torch.backends.cuda.matmul.allow_tf32 = False
        return "cuda"
    if wanted == "cuda":
        raise Unavailable("This worker sees no CUDA card; set BRINELL_DEVICE=auto or give it one.", retry_after=60)
    return "cpu"


def look_at_processor() -> None:
    """Has torch choose its kernels now, by what files of the system say of the processor.

    It would do so at its first sum, when a confined process may have lost sight of them: others round otherwise.
    """
    import torch

    torch.backends.cpu.get_cpu_capability()


Provider = str | tuple[str, dict[str, str]]


def providers(device: Device) -> list[Provider]:
    """List onnxruntime's execution providers, best first.

    Without its CUDA build, scores are computed on the processor.
    """
    import onnxruntime

    if device == "cuda" and "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        return [("CUDAExecutionProvider", {"use_tf32": "0"}), "CPUExecutionProvider"]
    return ["CPUExecutionProvider"]
