"""A CUDA card beside bare torch on the same card, and beside the processor of the same machine.

    BRINELL_DEVICE=cuda python -m benchmarks.card [--quick]

It takes a few minutes, the most valuable first; each figure is printed when it is there. Without a card it says so and
ends. BRINELL_DEVICE=cpu tries the script itself where there is none: its figures then mean nothing.
"""

import sys
from collections.abc import Iterator
from typing import Any

from algorithms.errors import Unavailable
from benchmarks import data, figures
from benchmarks.figures import Figure
from benchmarks.sides import Side
from models.device import choose
from workers.supervisor.runner_process import ENVIRONMENT

NETS = {"mnist_cw7": 0.5, "cifar_cnn_a_adv": 0.25}  # what CLEVER through the driver should reach of bare torch
BOUNDED = {"mnist_cnn_a_adv": (0.05, 293.0), "cifar_cnn_a_adv": (1 / 255, 102.0)}  # radius, images/s before, on an H200
FASTER = 5.0
BATCHES = [128, 512, 2048, 8192]
JOBS: list[tuple[str, str, dict[str, Any], str, int, int | None]] = [
    ("hopskipjump", "mnist_cw7", {}, "l2", 10, 1000),
    ("hopskipjump", "mnist_cw7", {}, "l2", 100, 1000),
    ("pgd", "mnist_cnn_a_adv", {}, "linf", 128, None),
    ("square", "mnist_cnn_a_adv", {}, "linf", 50, 500),
    ("smoothing", "mnist_cw7", {"n": 3000}, "l2", 2, None),
]


def need() -> None:
    """Ends the program, saying why, where a card was asked for that is not there."""
    try:
        is_there = choose(data.device()) == "cuda"
    except Unavailable as away:
        print(f"Skipped: {away.detail}")
        sys.exit(0)
    if not is_there and data.device() != "cpu":
        print("Skipped: torch finds no CUDA card here.")
        sys.exit(0)


def measure(quick: bool) -> Iterator[Figure]:
    ours, theirs = _environment(data.device()), _environment("cpu")
    with Side("benchmarks.side_card", environment=ours) as card:
        with Side("benchmarks.side_card_torch", environment=ours) as bare:
            for net, wanted in NETS.items():
                yield from _beside_torch(net, wanted, bare, card, quick)
        yield from _bounds(card, quick)
        with Side("benchmarks.side_card", environment=theirs) as processor:
            yield from _beside_processor(card, processor, quick)


def _environment(device: str) -> dict[str, str]:
    return {**ENVIRONMENT, "BRINELL_DEVICE": device, "BRINELL_BENCH_DATA": str(data.FOLDER)}


def _beside_torch(net: str, wanted: float, bare: Side, card: Side, quick: bool) -> Iterator[Figure]:
    told = card.ask("about", net=net).value
    yield Figure(f"`{net}` on", ", ".join(f"{name} {said}" for name, said in told.items()))
    rates = bare.ask("rates", net=net, batches=BATCHES[:1] if quick else BATCHES).value
    for what, by_batch in rates.items():
        shown = ", ".join(f"{n}: {rate:,.0f}" for n, rate in by_batch.items())
        yield Figure(f"`{net}`, bare torch, {what}/s by rows a call", shown)
    best = {what: max(by_batch.values()) for what, by_batch in rates.items()}
    rate = _clever(net, card, quick)
    what = f"`{net}`, `clever` through the driver, {rate:,.0f} Jacobians/s: of bare torch"
    yield figures.at_least(what, rate / best["Jacobians"], wanted)
    rows = 64 if quick else 8192
    rate = card.ask("gradients", net=net, count=rows).value
    what = f"`{net}`, gradients in one question, {rate:,.0f} rows/s: of bare torch"
    yield figures.at_least(what, rate / best["gradients"], 0.5)
    yield Figure(f"`{net}`, scores, rows/s", f"{card.ask('scores', net=net, count=rows).value:,.0f}")


def _clever(net: str, card: Side, quick: bool) -> float:
    """Jacobians a second: as many as `quick` asks of 32 samples, after a small job that does not count."""
    asked: dict[str, Any] = {"net": net, "name": "clever", "norm": "l2"}
    few = {"batches": 2, "batch_size": 10}
    card.ask("job", count=1, params=few, **asked)
    many = few if quick else {"batches": 10, "batch_size": 128}
    _, gradients, seconds = card.ask("job", count=1 if quick else 32, params=many, **asked).value
    return float(gradients / seconds)


def _bounds(card: Side, quick: bool) -> Iterator[Figure]:
    for net, (radius, before) in BOUNDED.items():
        about = {"net": net, "count": 2 if quick else 128, "radius": radius}
        rate = card.ask("margins", relaxation="crown", **about).value
        yield figures.at_least(f"`{net}`, `crown`, images/s", rate, FASTER * before, "{:,.0f}")
        rate = card.ask("margins", relaxation="intervals", **about).value
        yield Figure(f"`{net}`, `intervals`, images/s", f"{rate:,.0f}")


def _beside_processor(card: Side, processor: Side, quick: bool) -> Iterator[Figure]:
    for name, net, params, norm, count, queries in JOBS:
        asked: dict[str, Any] = {"net": net, "name": name, "norm": norm, "params": params, "queries": queries}
        for side in (card, processor):  # what is found once is found before the clock starts
            side.ask("job", **asked, count=1)
        ours, theirs = (side.ask("job", **asked, count=2 if quick else count).value[2] for side in (card, processor))
        what = f"`{name}` on {count} of `{net}`, {ours:.2f} s: of the processor's {theirs:.2f}"
        is_asked = name == "hopskipjump"
        yield figures.at_most(what, ours / theirs, 0.2) if is_asked else Figure(what, f"{ours / theirs:.2f}")


if __name__ == "__main__":
    need()
    figures.main(measure)
