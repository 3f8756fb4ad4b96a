"""Attacks on many images, ten at a time: each ten's answer is kept by itself, and none is asked once the time is over.

What an attack had reached by so many queries is read off the curve of a longer run, which replays the shorter one.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import inf
from typing import Any

import numpy as np

from algorithms.mathematics.statistics import median_interval
from algorithms.registry import method
from benchmarks.kept import code_of, is_kept, kept
from benchmarks.sides import Side

BLOCK = 10  # images asked about at once
SEED = 0  # of all our runs
DRAWS = 10_000  # of the bootstrap


@dataclass(frozen=True)
class Attack:
    """An attack is a method of ours with its parameters, a network, a threat, and so many queries an image."""

    net: str
    name: str
    queries: int
    norm: str = "l2"
    epsilon: float | None = None
    params: tuple[tuple[str, Any], ...] = ()

    def __str__(self) -> str:
        return " ".join([f"`{self.name}`", *(f"{key}={value}" for key, value in self.params)])

    def asked(self, images: list[int]) -> dict[str, Any]:
        how = {"name": self.name, "params": dict(self.params), "norm": self.norm, "epsilon": self.epsilon}
        return {"net": self.net, "images": images, "queries": self.queries, **how}


@dataclass(frozen=True)
class Block:
    """A block is what was found of some images: a curve (cost, distance) of each, rows, and what it took."""

    curves: dict[int, list[tuple[int, float]]]  # by image; costs and distances fall
    rows: int
    wall: float  # seconds
    cpu: float  # seconds of the process, all threads
    load: float  # the load average when it was answered


class Blocks:
    """`Blocks` asks our side while there is time, and knows what has been answered before."""

    def __init__(self, ours: Side, until: float) -> None:
        self.ours, self.until = ours, until  # on the clock of time.monotonic

    def of(self, attack: Attack, images: Sequence[int]) -> list[Block]:
        """Lists the answers there are about these images, in blocks; a block that is missing found no time."""
        code = code_of(method(attack.name).run.__module__)
        found = []
        for group in groups(images):
            asked = attack.asked(group)
            block = self.answer(asked, code, partial(self._audit, asked))
            found += [] if block is None else [_block(group, block)]
        return found

    def answer(self, asked: dict[str, Any], code: str, answer: Callable[[], Any]) -> Any | None:
        """Returns what is kept, or asks; None where the time is over."""
        if not is_kept(asked, code):
            if time.monotonic() > self.until:
                return None
            print(f"{time.strftime('%H:%M:%S')} {asked}", file=sys.stderr, flush=True)
        return kept(asked, code, answer)

    def _audit(self, asked: dict[str, Any]) -> dict[str, Any]:
        answer = self.ours.ask("audit", **asked)
        curves = [finding["details"].get("curve", []) for finding in answer.value]
        rows = sum(finding["queries"] for finding in answer.value)
        return {"curves": curves, "rows": rows, **taken(answer.wall, answer.cpu)}


def taken(wall: float, cpu: float) -> dict[str, float]:
    return {"wall": wall, "cpu": cpu, "load": os.getloadavg()[0]}


def _block(images: list[int], told: dict[str, Any]) -> Block:
    return Block(curves=dict(zip(images, told.pop("curves"), strict=True)), **told)


def by(blocks: Sequence[Block], queries: int, images: Sequence[int] | None = None) -> list[float]:
    """Lists the distance that each image had been brought to by so many queries: infinite where there was none."""
    curves = {image: curve for block in blocks for image, curve in block.curves.items()}
    return [
        min((away for cost, away in curves[image] if cost <= queries), default=inf)
        for image in (curves if images is None else [i for i in images if i in curves])
    ]


def shown(distances: Sequence[float]) -> str:
    """Tells the median and the mean, each with its 95 % interval. A mean is of samples that have a point."""
    values = np.array(distances)
    found = values[np.isfinite(values)]
    low, high = median_interval(values)
    text = f"median {np.median(values):.3f} ({low:.2f} to {high:.2f})"
    if len(found):
        low, high = mean_interval(found)
        text += f", mean {found.mean():.3f} ({low:.2f} to {high:.2f})"
    return text + (f" without {len(values) - len(found)} that had no point" if len(found) < len(values) else "")


def mean_interval(values: Sequence[float] | np.ndarray[Any, Any]) -> tuple[float, float]:
    """Bounds the mean by the bootstrap of percentiles, 95 %: what other images of the kind would have made it."""
    drawn = np.random.default_rng(0).choice(np.asarray(values), (DRAWS, len(values))).mean(1)
    low, high = np.quantile(drawn, (0.025, 0.975))
    return float(low), float(high)


def load(blocks: Sequence[Block]) -> str:
    loads = sorted(block.load for block in blocks)
    return f"load {loads[0]:.0f} to {loads[-1]:.0f}"


def first_below(blocks: Sequence[Block], mean: float, images: Sequence[int]) -> int | None:
    """Finds the least number of queries by which the mean distance of these images was at most this, if ever."""
    for queries in sorted({cost for block in blocks for curve in block.curves.values() for cost, _ in curve}):
        if sum(by(blocks, queries, images)) <= mean * len(images):
            return queries
    return None


def groups(images: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(images), BLOCK):
        yield list(images[start : start + BLOCK])
