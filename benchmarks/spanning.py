"""What directions of a subspace save attacks that draw some: queries to success, beside directions of all inputs.

    python -m benchmarks.spanning [--quick] [--full]

mnist_cw7 (the network of the ZOO paper) and cifar_cnn_a_adv, untargeted, within a radius; spans are of 1,000 (CIFAR:
100) images of the same kind that are not attacked. A query is a row, all of them counted, what fails charged the whole
budget. Preparing a span asks the model nothing, so that (prepare + samples) / samples are the samples' own. What was
found is kept in .bench/, so a run that was stopped goes on where it was.
"""

from collections.abc import Iterator, Mapping
from statistics import fmean, median
from typing import Any

import numpy as np

from algorithms.artifacts.basis import BASIS
from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.access import Rows
from algorithms.seam.claims import Kind
from algorithms.searches.directions.spanning import spanning_basis
from algorithms.threats.threat import Threat
from benchmarks import data
from benchmarks.figures import Figure, at_least, main
from benchmarks.kept import kept, our_code
from benchmarks.side_ours import model

QUERIES = 5_000
RADII = {"mnist_cw7": {"linf": 0.3, "l2": 3.0}, "cifar_cnn_a_adv": {"linf": 8 / 255, "l2": 1.0}}
ATTACKS = ("frank_wolfe_black_box", "nes")
SPACES: dict[str, dict[str, Any]] = {
    "full": {},
    "dct": {"directions": "dct"},
    "bilinear": {"directions": "bilinear"},
    "spanning": {"directions": "spanning"},
    "spanning, top 50": {"directions": "spanning", "subspace": "top", "rank": 50},
    "spanning, bottom 80 %": {"directions": "spanning", "subspace": "bottom", "rank": None},
}

Told = Mapping[str, float]
"""success, and the mean and the median of the queries of all samples."""


def attacked(net: str, attack: str, norm: str, space: str, count: int) -> Told:
    """Attacks the first images that the network gets right."""
    x, y, others = _images(net, count)
    basis = spanning_basis(others)
    given = dict(SPACES[space])
    if given.get("subspace") == "bottom":
        given["rank"] = round(0.8 * len(basis))  # 800 of 1000, as the authors' code recommends
    chosen = method(attack)
    outcomes = run(
        model(net),
        Samples(x, tuple(range(count)), y, prepared={BASIS: basis}),
        chosen,
        chosen.params.model_validate({"name": attack, **given}),
        Threat(norm=Norm(norm), epsilon=RADII[net][norm]),
        Budget(QUERIES),
        seed=0,
    )
    tried = [o.finding for o in outcomes if o.finding.kind is not Kind.MISCLASSIFIED]
    won = [finding.kind is Kind.UPPER_BOUND for finding in tried]
    spent = [finding.queries if has else QUERIES for finding, has in zip(tried, won, strict=True)]
    return {"samples": len(tried), "success": fmean(won), "mean": fmean(spent), "median": median(spent)}


def _images(net: str, count: int) -> tuple[Rows, Any, Rows]:
    """Images to attack, their labels, and others."""
    if net.startswith("mnist"):
        return (
            data.images(list(range(count))),
            data.labels(count).astype(np.int64),
            data.images(list(range(5000, 6000))),
        )
    with np.load(data.FOLDER / "cifar10" / "cifar10_test_subset.npz") as npz:
        x = npz["x"].transpose(0, 3, 1, 2).astype(np.float32) / np.float32(255)
        return x[:count], npz["y"][:count].astype(np.int64), x[200:]


def measure(quick: bool) -> Iterator[Figure]:
    nets = ("mnist_cw7",) if quick else tuple(RADII)
    yield from _measured(nets, ("linf",), 20 if quick else 50)


def full() -> Iterator[Figure]:
    yield from _measured(tuple(RADII), ("linf", "l2"), 200)


def _measured(nets: tuple[str, ...], norms: tuple[str, ...], count: int) -> Iterator[Figure]:
    for net in nets:
        for norm in norms:
            for attack in ATTACKS:
                yield from _compared(net, attack, norm, count)


def _compared(net: str, attack: str, norm: str, count: int) -> Iterator[Figure]:
    told = {space: _kept(net, attack, norm, space, count) for space in SPACES}
    whole = told["full"]
    where = f"{net}, {norm} {RADII[net][norm]:.3g}, {attack}"
    for space, found in told.items():
        share = found["mean"] / whole["mean"]
        text = f"{found['success']:.2f}, {found['mean']:.0f}, {found['median']:.0f}, {share:.2f}"
        yield Figure(
            f"{where}, {space}: success, mean, median queries, mean over full's", text, f"{found['samples']:.0f} images"
        )
    if (net, norm, attack) == ("mnist_cw7", "linf", ATTACKS[0]):
        yield at_least(f"{where}: success", whole["success"], 0.99, "{:.3f}")


def _kept(net: str, attack: str, norm: str, space: str, count: int) -> Told:
    settings = {"space": SPACES[space], "radius": RADII[net][norm], "queries": QUERIES, "count": count}
    question = {"benchmark": "spanning", "net": net, "attack": attack, "norm": norm, "settings": settings}
    told: Told = kept(question, our_code(), lambda: attacked(net, attack, norm, space, count))
    return told


if __name__ == "__main__":
    main(measure, full)
