"""Attacks on scores: rows a second through the driver, over the session's alone, 100 samples in one job.

A method is a line of ATTACKS. The radius is so small that nothing succeeds: every sample asks until its budget ends.
"""

from collections.abc import Iterator
from typing import Any

from algorithms.registry import METHODS
from benchmarks import figures
from benchmarks.data import TINY
from benchmarks.figures import Figure
from benchmarks.sides import Answer, Side
from workers.supervisor.runner_process import ENVIRONMENT

SHARE = 0.8  # of the session's own rows a second
TINY_ROWS = 25_000  # rows a second, where a model answers at once
EPSILON = 1e-4
ATTACKS: dict[str, tuple[str, dict[str, Any]]] = {  # name: the norm it is tried in, and its parameters
    "nes": ("linf", {}),
    "bandits": ("linf", {}),
    "simba": ("l2", {}),
    "sign_hunter": ("linf", {}),
    "zoo": ("l2", {}),
    "square": ("linf", {}),
}
NETS = {"mnist_cw7": 160, "cifar_cnn_a_adv": 320, TINY: 320}  # queries a sample


def measure(quick: bool) -> Iterator[Figure]:
    samples, rounds = list(range(20 if quick else 100)), 1 if quick else 5
    here = {method.name for method in METHODS}
    with Side("benchmarks.side_ours", environment=ENVIRONMENT) as ours:
        for net, queries in NETS.items():
            raw = [ours.ask("raw", net=net, images=samples, calls=queries) for _ in range(1 + rounds)][1:]
            best = len(samples) * queries / min(answer.wall for answer in raw)
            yield Figure(f"rows/s at best, raw, `{net}`, {len(samples)} a batch", f"{best:,.0f}")
            for name in ATTACKS:
                if name in here:
                    yield from _figures(ours, net, samples, name, 60 if quick else queries, rounds)


def _figures(ours: Side, net: str, samples: list[int], name: str, queries: int, rounds: int) -> Iterator[Figure]:
    norm, params = ATTACKS[name]
    asked = {"net": net, "images": samples, "norm": norm, "epsilon": EPSILON, "queries": queries}
    driven: list[Answer] = []
    raw: list[Answer] = []
    for _ in range(rounds):  # in turns: a slow minute of the machine hits both
        driven.append(ours.ask("audit", name=name, params=params, **asked))
        raw.append(ours.ask("raw", net=net, images=samples, calls=queries))
    rows = sum(finding["queries"] for finding in driven[0].value)
    rate = rows / min(answer.wall for answer in driven)
    where = f"`{name}` {norm}, `{net}`, {len(samples)} samples, {rows:,} rows"
    if net == TINY:
        yield figures.at_least(f"rows/s at best through the driver, {where}", rate, TINY_ROWS, "{:,.0f}")
        return
    share = rows / (len(samples) * queries) * figures.ratio(raw, driven)
    told = figures.spread(raw, driven)
    yield figures.at_least(f"rows/s through the driver over raw, {where}, {rate:,.0f}/s ({told})", share, SHARE)


if __name__ == "__main__":
    figures.main(measure)
