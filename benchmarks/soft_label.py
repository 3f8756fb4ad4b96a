"""Attacks on scores beside one another: the median l2 distance by 1,000 and by 5,000 queries, without an epsilon.

Every method of the registry that goes by scores and knows l2, with its defaults; samples of which nothing was found
count as infinitely far. What was answered once is kept under `.bench/`: a run that was stopped goes on where it was.
"""

import statistics
from collections.abc import Iterator
from math import inf
from typing import Any

from algorithms.mathematics.norms import Norm
from algorithms.registry import METHODS
from benchmarks import figures
from benchmarks.figures import Figure
from benchmarks.kept import kept, our_code
from benchmarks.sides import Side
from workers.supervisor.runner_process import ENVIRONMENT

NETS = {"mnist_cw7": 20, "cifar_cnn_a_adv": 20}  # images
BUDGETS = (1000, 5000)
VARIANTS: dict[str, dict[str, Any]] = {"simba": {"basis": "dct", "frequencies": 0.5}}  # tried beside the defaults


def measure(quick: bool) -> Iterator[Figure]:
    names = [m.name for m in METHODS if m.threat_model == "black_box_score" and Norm.L2 in m.norms and m.finds_points]
    tried = [(name, params) for name in names for params in ({}, *([VARIANTS[name]] if name in VARIANTS else []))]
    with Side("benchmarks.side_ours", environment=ENVIRONMENT) as ours:
        for net, images in NETS.items():
            for name, params in tried:
                yield _figure(ours, net, list(range(3 if quick else images)), name, params, 60 if quick else None)


def _figure(ours: Side, net: str, images: list[int], name: str, params: dict[str, Any], most: int | None) -> Figure:
    asked = {"net": net, "images": images, "name": name, "params": params, "norm": "l2", "queries": most or BUDGETS[-1]}
    findings = kept(asked, our_code(), lambda: ours.ask("audit", **asked).value)
    attacked = [finding for finding in findings if finding["kind"] != "misclassified"]
    medians = [statistics.median(_by(finding, budget) for finding in attacked) for budget in BUDGETS]
    shown = " / ".join(f"{middle:.3f}" for middle in medians)
    with_ = "".join(f" {key}={value}" for key, value in params.items())
    return Figure(f"`{name}`{with_} l2, `{net}`, {len(attacked)} images: median by 1,000 / 5,000 queries", shown)


def _by(finding: dict[str, Any], budget: int) -> float:
    """The distance that a finding had reached by so many queries."""
    return min((away for cost, away in finding["details"].get("curve", []) if cost <= budget), default=inf)


if __name__ == "__main__":
    figures.main(measure)
