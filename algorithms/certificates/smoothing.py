"""Randomized smoothing: a certified l2 radius for what the model answers most often under Gaussian noise.

Cohen, Rosenfeld, Kolter, ICML 2019, arXiv:1902.02918, CERTIFY. It needs labels only. What it certifies is another
classifier than the model: the smoothed one, g(x) = argmax_c P(f(x + N(0, sigma^2 I)) = c). In a box every row asked is
clipped to it, so that g smooths f o clip, which is as good a classifier as f: the guarantee asks nothing of it.

A radius counts only if g's class is the sample's label. A g that is surely wrong at x abstains like one that is
undecided, and `details.smoothed_label` tells the two apart.
"""

import math
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from algorithms.mathematics.norms import Norm
from algorithms.mathematics.statistics import lower_limit
from algorithms.mathematics.streams import BLOCK
from algorithms.method import Method, Params
from algorithms.seam.access import Access, Labels, Rows
from algorithms.seam.case import Case, Conversation, Step
from algorithms.seam.claims import Abstained, Details, Kind, SmoothedLowerBound
from algorithms.seam.cost import Cost
from algorithms.seam.questions.cloud import AskCloud, Cloud
from algorithms.threats.threat import Threat

PIECE = 4 * BLOCK  # votes asked at once: a cancel waits for so many, and their batch is full already
SELECTION, ESTIMATION = 0, 1_000_000  # counters of the stream: no vote that chose the class may count for it


class SmoothingParams(Params):
    """n0 and n are not the paper's 100 and 100,000: clean row, n0 and n fit the default budget of 10,000 queries."""

    name: Literal["smoothing"] = "smoothing"
    sigma: float = Field(0.25, gt=0, le=1e6, description="standard deviation of the noise, in the samples' units")
    n0: int = Field(100, ge=1, le=100_000, description="votes that choose the class to certify")
    n: int = Field(9_000, ge=1, le=10_000_000, description="fresh votes that estimate its probability")
    alpha: float = Field(0.001, gt=0, lt=0.5, description="the largest probability that a radius is wrong")

    @model_validator(mode="after")
    def _can_certify(self) -> "SmoothingParams":
        if self.n < (least := least_votes(self.alpha)):
            raise ValueError(
                f"{self.n} votes certify nothing at alpha {self.alpha:g}, even if all agree; n must be at least {least}"
            )
        return self


class Gaussian:
    """Offsets are N(0, I). Speaks `algorithms.seam.questions.cloud.Directions`."""

    def draw(self, rng: np.random.Generator, out: NDArray[np.float32]) -> None:
        rng.standard_normal(out=out, dtype=np.float32)


class Votes:
    """Votes count how often each class was answered. An answer that is none of them is a vote for nobody."""

    def __init__(self, classes: int) -> None:
        self.counts = np.zeros(classes, np.int64)

    def feed(self, points: Rows, labels: Labels) -> None:
        del points
        classes = len(self.counts)
        self.counts += np.bincount(labels[(labels >= 0) & (labels < classes)], minlength=classes)


def minimum(params: SmoothingParams, threat: Threat) -> Cost:
    """Count the clean row and all votes: fewer would be another experiment."""
    del threat
    return Cost(queries=1 + params.n0 + params.n)


def least_votes(alpha: float) -> int:
    """Find the smallest n whose unanimous vote certifies: p_lower = alpha^(1/n) > 1/2."""
    return math.floor(-math.log2(alpha)) + 1


def radius(votes: int, n: int, *, sigma: float, alpha: float) -> tuple[float, float | None]:
    """Certify a radius from votes: (p_lower, sigma * Phi^-1(p_lower)); its place is None where p_lower < 1/2.

    p_lower is the one-sided Clopper-Pearson limit: P(f(x + noise) = c) is at least that with probability 1 - alpha.
    """
    from scipy.special import ndtri

    p_lower = lower_limit(votes, n, 1 - alpha)
    return p_lower, None if p_lower < 0.5 else float(sigma * ndtri(p_lower))


def run(case: Case, threat: Threat, params: SmoothingParams) -> Conversation:
    """End in a SmoothedLowerBound, or in Abstained: `undecided`."""
    ceiling = radius(params.n, params.n, sigma=params.sigma, alpha=params.alpha)[1]
    if threat.epsilon is not None and ceiling is not None and threat.epsilon > ceiling:
        yield Abstained("undecided", details={"radius_ceiling": ceiling})  # no vote could answer: none is asked
        return
    selected = yield from _votes(case, threat, params, n=params.n0, counter=SELECTION)
    if not selected.any():
        yield Abstained("undecided", details={"radius_ceiling": ceiling, "selection_counts": {}})
        return
    top = int(selected.argmax())
    counts = yield from _votes(case, threat, params, n=params.n, counter=ESTIMATION)
    p_lower, certified = radius(int(counts[top]), params.n, sigma=params.sigma, alpha=params.alpha)
    details: Details = {
        "top_class": top,
        "smoothed_label": None if certified is None else top,
        "p_lower": p_lower,
        "radius": certified,
        "radius_ceiling": ceiling,
        "counts": _nonzero(counts),
        "selection_counts": _nonzero(selected),
        "clipped": not threat.box.is_unbounded,
    }
    if certified is None or top != case.label or (threat.epsilon is not None and certified < threat.epsilon):
        yield Abstained("undecided", details=details)
    else:
        value = certified if threat.epsilon is None else threat.epsilon
        yield SmoothedLowerBound(value, 1 - params.alpha, details=details)


def _votes(case: Case, threat: Threat, params: SmoothingParams, *, n: int, counter: int) -> Step[NDArray[np.int64]]:
    """How often each class was answered on n noisy copies, (classes,)."""
    counts = np.zeros(case.classes, np.int64)
    for start in range(0, n, PIECE):
        m = min(PIECE, n - start)
        first = counter + start // BLOCK
        cloud = Cloud(case.x, params.sigma, Gaussian(), m, threat, case.stream, first)
        counts += (yield from AskCloud(cloud, partial(Votes, case.classes))).counts
    return counts


def _nonzero(counts: NDArray[np.int64]) -> dict[str, int]:
    return {str(label): int(counts[label]) for label in np.flatnonzero(counts)}


METHOD = Method(
    name="smoothing",
    version="1",
    family="certificate",
    threat_model="black_box_decision",
    needs=(Access.LABELS,),
    norms=(Norm.L2,),
    goals=("untargeted",),
    epsilon="optional",
    proves=Kind.SMOOTHED_LOWER_BOUND,
    reference="Cohen, Rosenfeld, Kolter, Certified Adversarial Robustness via Randomized Smoothing, ICML 2019, "
    "arXiv:1902.02918",
    params=SmoothingParams,
    run=run,
    cohort=False,
    minimum=minimum,
    smallest=SmoothingParams(n0=10, n=100),
    chunk=4,
)
