"""A card that is not there: torch propagates shapes and devices without numbers, gradients too.

Where a step would meet what lies on the processor torch says so; and it has no number to read back, for which a real
card would be waited for. Run as a program, since a process keeps its torch once that has another device:

    python -m tests.fake_card       a line of JSON for each export: its name, and what went wrong or ""
"""

import json
import sys
from collections.abc import Callable

import onnx
import torch
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.utils.backend_registration import _setup_privateuseone_for_python_backend

from models.onnx import probes
from models.onnx.gradients.conversion import convert
from models.onnx.network import read
from tests.batch_readers import READERS
from tests.exports import NETS, Export, torch_export

ROWS = 32
TABLE: dict[str, Callable[[], Export]] = READERS | {
    f"{net}, classic": lambda net=net: torch_export(net, "classic", 13) for net in NETS
}


def differentiate(export: Export) -> None:
    """Raises torch's own errors."""
    model = read(onnx.load_from_string(export.data), None).scores_alone()
    module = convert(model, probes.rows(export.shape, ROWS))
    with FakeTensorMode() as card:
        held = {
            name: torch.empty_like(card.from_tensor(value), device="card") for name, value in module.named_buffers()
        }
        points = torch.empty(ROWS, *export.shape, device="card", requires_grad=True)
        scores = torch.func.functional_call(module, held, (points,))
        (gradient,) = torch.autograd.grad(scores, points, torch.ones_like(scores))
    assert (gradient.device.type, gradient.shape) == ("card", points.shape)


def main() -> None:
    exports = {name: export() for name, export in TABLE.items()}  # torch's exporters stumble over the card
    _setup_privateuseone_for_python_backend("card")
    for name, export in exports.items():
        try:
            differentiate(export)
            wrong = ""
        except Exception as error:
            wrong = f"{type(error).__name__}: {error}"
        sys.stdout.write(json.dumps([name, wrong]) + "\n")


if __name__ == "__main__":
    main()
