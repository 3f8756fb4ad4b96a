"""One sample searched by `branch_and_bound` for so many processor seconds of this process, and what that found.

The clock decides only when a search is interrupted: what it had found by then does not depend on it.
"""

import time
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from algorithms.certificates.branch_and_bound import BranchAndBoundParams
from algorithms.driver.progress import RunProgress, Stop
from algorithms.driver.running import Samples, run
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.hint import NOTHING_KNOWN, Hint
from algorithms.threats.threat import Threat
from models.onnx.bounds.bounder import bounder
from models.onnx.classifier import OnnxClassifier
from models.onnx.gradients.differentiator import differentiator
from models.onnx.network import read

METHOD = method("branch_and_bound")
DOMAINS = 10_000_000
CLOSED = 1.1  # upper over lower end


def opened(model: onnx.ModelProto) -> OnnxClassifier:
    network = read(model, None)
    return OnnxClassifier(network, differentiator(network, "cpu"), "cpu", bounder(network, "cpu"))


def searched(
    model: OnnxClassifier, x: NDArray[np.float32], y: int, threat: Threat, seconds: float, hint: Hint = NOTHING_KNOWN
) -> dict[str, Any]:
    """Find what is said of one sample (*shape), with the processor seconds that it took.

    It ends where its bracket closes.
    """
    begin = time.process_time()

    def look(progress: RunProgress) -> Stop | None:
        trial = progress.trials[0]
        lower = max((claim.radius for claim in trial.lowers), default=0.0)
        is_closed = min((away for _, away, _ in trial.shown), default=np.inf) <= CLOSED * lower
        return "budget" if is_closed or time.process_time() - begin > seconds else None

    samples = Samples(x[None], (0,), np.array([y]), hints=(hint,))
    (outcome,) = run(
        model, samples, METHOD, BranchAndBoundParams(domains=DOMAINS), threat, Budget(None), seed=0, checkpoint=look
    )
    finding = outcome.finding
    told = {"kind": finding.kind.value, "value": finding.value, "ended": finding.ended}
    details = {name: finding.details.get(name) for name in ("upper", "bound", "domains", "curve")}
    return told | details | {"seconds": time.process_time() - begin}
