"""A card that is short of memory: torch is left a share of it, in a process of its own."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.card

SHORT = """
import numpy as np, onnx, torch
from models.onnx.gradients.differentiator import differentiator
from models.onnx.network import read
from tests.residual import resnet18
from algorithms.errors import ModelFault

network = read(onnx.load_from_string(resnet18()), None)
rows = np.random.default_rng(0).random((600, 3, 32, 32), dtype=np.float32)
ones = lambda scores, positions: np.ones_like(np.asarray(scores))
right = differentiator(network, "cuda").gradients(rows, ones)[1]
torch.cuda.empty_cache()
total = torch.cuda.get_device_properties(0).total_memory
torch.cuda.set_per_process_memory_fraction(min(1.0, (torch.cuda.memory_allocated() + (700 << 20)) / total))
short = differentiator(network, "cuda")
found = short.gradients(rows, ones)[1]
sizes = str(short.batch).split("/")
assert len(sizes) > 1, sizes
np.testing.assert_allclose(found, right, rtol=0, atol=1e-4 * np.abs(right).max())
np.testing.assert_array_equal(short.gradients(rows[:3], ones)[1], found[:3])
torch.cuda.empty_cache()
torch.cuda.set_per_process_memory_fraction((torch.cuda.memory_allocated() + (1 << 20)) / total)
try:
    differentiator(network, "cuda")  # a second one, whose weights have no place beside the first's
except ModelFault as fault:
    print("fault:", fault.detail)
"""


def test_gradients_come_in_smaller_batches_and_then_as_a_fault_never_wrong() -> None:
    done = subprocess.run([sys.executable, "-c", SHORT], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "fault: The worker's card has no memory left for this model" in done.stdout
