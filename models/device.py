"""Where tensors live: the one place that chooses between the processor and a CUDA card.

A card multiplies in float32, not in TF32, which keeps 10 bits of 23: bounds promise what float32 computes. And it takes
the same steps every time: torch's own choice among cuDNN's gradients adds up in whatever order threads arrive.
"""

from collections.abc import Mapping
from typing import Literal

from algorithms.errors import Unavailable

Device = Literal["cpu", "cuda"]


def choose(wanted: str) -> Device:
    """Choose the card that torch finds (`auto`), or what is named. Raises Unavailable for a card that is not there."""
    if wanted == "cpu":
        return "cpu"
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if wanted == "cuda":
        raise Unavailable(
            "This worker sees no CUDA card, or its limits keep CUDA from starting; set BRINELL_DEVICE=auto, give the"
            " worker a card, or see the section on cards in docs/settings.md.",
            retry_after=60,
        )
    return "cpu"


def compute_exactly(device: Device) -> None:
    """Has torch compute in float32 on a card, and with the same bits each time. Call it before tensors get there."""
    if device == "cpu":
        return
    import torch

    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False  # which would choose by a stopwatch


def warm_up() -> None:
    """Makes torch, cuDNN and cuBLAS start on the card, if there is one: seconds that no job should wait for.

    A card that has no room left is met again, and told of, where a model is opened.
    """
    import torch

    try:
        if torch.cuda.is_available():
            compute_exactly("cuda")
            image = torch.ones(2, 1, 8, 8, device="cuda", requires_grad=True)
            found = torch.nn.functional.conv2d(image, torch.ones(2, 1, 3, 3, device="cuda")).flatten(1)
            torch.autograd.grad((found @ found.T).sum(), image)
            torch.cuda.synchronize()
    except RuntimeError:  # torch's own errors, those of CUDA among them
        return


def card() -> Mapping[str, str]:
    """Say which card torch computes on, and by which versions of its libraries: its bits depend on all three."""
    import torch

    cudnn = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
    return {"card": torch.cuda.get_device_name(), "cuda": str(torch.version.cuda), "cudnn": str(cudnn)}


def look_at_processor() -> None:
    """Has torch choose its kernels now, by what files of the system say of the processor.

    It would do so at its first sum, when a confined process may have lost sight of them: others round otherwise.
    """
    import torch

    torch.backends.cpu.get_cpu_capability()


Provider = str | tuple[str, dict[str, str]]

PROCESSOR = "CPUExecutionProvider"
ON_CARD = {
    "use_tf32": "0",
    "cudnn_conv_algo_search": "HEURISTIC",  # the default, EXHAUSTIVE, chooses by a stopwatch
    "arena_extend_strategy": "kSameAsRequested",  # torch needs the card's memory as well
}


def providers(device: Device) -> list[Provider]:
    """List onnxruntime's execution providers, best first.

    Without its CUDA build, scores are computed on the processor.
    """
    import onnxruntime

    if device == "cuda" and "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        return [("CUDAExecutionProvider", ON_CARD), PROCESSOR]
    return [PROCESSOR]
