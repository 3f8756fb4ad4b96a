"""The side of adv-lib: its attacks that look for the nearest adversarial point, on the same network rebuilt in torch.

Runs in `.venv-peers` (see `benchmarks.peers`) and imports nothing of ours. Levels are off, and each
attack is given the steps that cost 1,000 forward and 1,000 backward passes a sample at most, searches included.
"""

import sys
import types
import warnings
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
import onnx
import onnx2fx
import torch

from benchmarks.sides import serve

for absent in ("visdom", "torchvision"):  # adv-lib imports them for pictures
    sys.modules[absent] = types.ModuleType(absent)
sys.modules["torchvision"].models = types.ModuleType("torchvision.models")  # type: ignore[attr-defined]

from adv_lib import attacks  # noqa: E402
from adv_lib.attacks.auto_pgd import minimal_apgd  # noqa: E402

warnings.simplefilter("ignore")  # theirs are not ours to read

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
STEPS = 1000
ORDERS = {"l0": 0.0, "l1": 1.0, "l2": 2.0, "linf": float("inf")}
SEARCH = {"binary_search_steps": 10, "n_iter": 97}  # 98 forward passes a step of the search, one to judge it
RIVAL_BY_RIVAL = {"binary_search_steps": 10, "n_iter": 31, "targeted_version": True, "num_targets": 3}
RIVALS = 9  # of ten classes: what a step of FAB differentiates

Attack = Callable[..., torch.Tensor]


def settings(norm: str, largest: float) -> Mapping[str, tuple[Attack, dict[str, Any]]]:
    """Names adv-lib's attacks in a norm, with what is handed to each; `largest` is where searches begin."""
    order = ORDERS[norm]
    search = {"norm": order, "max_eps": largest, "use_large_reps": norm == "l1"}
    fmn = (attacks.fmn, {"norm": order, "steps": STEPS})
    pdpgd = (attacks.pdpgd, {"norm": order, "num_steps": STEPS})
    if norm == "l0":
        return {"fmn": fmn, "pdpgd": pdpgd, "sigma_zero": (attacks.sigma_zero, {"num_steps": STEPS})}
    both: dict[str, tuple[Attack, dict[str, Any]]] = {
        "fmn": fmn,
        "pdpgd": pdpgd,
        "apgd": (minimal_apgd, search | SEARCH),
        "apgd_t": (minimal_apgd, search | RIVAL_BY_RIVAL),
        "fab": (attacks.fab, {"norm": order, "n_iter": STEPS // RIVALS}),
    }
    if norm == "linf":
        linf = {"max_iterations": 50, "const_factor": 8.0}  # some twenty rounds until its tau stops falling
        return both | {"carlini_wagner": (attacks.carlini_wagner_linf, linf)}
    both |= {"alma": (attacks.alma, {"distance": norm, "num_steps": STEPS})}
    if norm == "l1":
        return both
    cw = {"binary_search_steps": 9, "max_iterations": STEPS // 9}
    return both | {
        "ddn": (attacks.ddn, {"steps": STEPS, "levels": None}),
        "pdgd": (attacks.pdgd, {"num_steps": STEPS}),
        "carlini_wagner": (attacks.carlini_wagner_l2, cw),
    }


def names(norm: str, largest: float) -> dict[str, str]:
    """Tells each attack's settings in words, which are also what its distances are kept by."""
    return {
        name: " ".join(f"{key}={value}" for key, value in arguments.items())
        for name, (_, arguments) in settings(norm, largest).items()
    }


@cache
def module(file: str) -> Any:
    return onnx2fx.convert(onnx.load(file)).eval().requires_grad_(False).to(DEVICE)


class Counting(torch.nn.Module):
    """The network, and how many rows it was asked."""

    def __init__(self, file: str) -> None:
        super().__init__()
        self.inner = module(file)
        self.rows = 0

    def forward(self, rows: torch.Tensor) -> torch.Tensor:
        self.rows += len(rows)
        return self.inner(rows)  # type: ignore[no-any-return]


def distances(file: str, rows: str, norm: str, name: str, largest: float) -> dict[str, Any]:
    """Runs one attack on the rows of an .npy file: {"distances": one a row, None where it found none, "forward"}."""
    torch.manual_seed(0)
    model, x = Counting(file).eval(), torch.from_numpy(np.load(rows)).to(DEVICE)
    labels = model.inner(x).argmax(1)
    attack, arguments = settings(norm, largest)[name]
    found = attack(model, x.clone(), labels, **arguments).detach()
    assert float(found.min()) >= -1e-6, "adv-lib left the box"
    assert float(found.max()) <= 1 + 1e-6, "adv-lib left the box"
    away = (found.double() - x.double()).flatten(1)
    far = (away != 0).sum(1).double() if norm == "l0" else away.norm(ORDERS[norm], dim=1)
    broken = (model.inner(found).argmax(1) != labels).tolist()
    told = [d if is_broken else None for d, is_broken in zip(far.tolist(), broken, strict=True)]
    return {"distances": told, "forward": model.rows / len(x)}


def carlini_wagner_l2(file: str, rows: str, targets: list[int], settings: dict[str, Any]) -> list[float | None]:
    """Runs C&W in l2 towards these classes: one distance a row, None where it found none."""
    model, x = module(file), torch.from_numpy(np.load(rows)).to(DEVICE)
    aims = torch.tensor(targets, device=DEVICE)
    found = attacks.carlini_wagner_l2(model, x.clone(), aims, targeted=True, **settings).detach()
    far = (found.double() - x.double()).flatten(1).norm(dim=1).tolist()
    with torch.no_grad():
        reached = (model(found).argmax(1) == aims).tolist()
    return [d if is_reached else None for d, is_reached in zip(far, reached, strict=True)]


if __name__ == "__main__":
    serve({"names": names, "distances": distances, "carlini_wagner_l2": carlini_wagner_l2})
