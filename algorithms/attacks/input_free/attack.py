"""Input-free attack: from plain gray, without any sample, to inputs that the model answers with each of its classes.

Du et al., Towards Query Efficient Black-box Attacks: An Input-free Perspective, AISec 2018, arXiv:1809.02918. Gray is
the middle of the box. From there the signs of an estimated gradient lead to a class, searched within a region that is
laid over the image like tiles. The region's side is chosen by a warm-up, whose queries count.

It tells whether inputs that mean nothing are answered like those that do, and bounds nothing of any sample.

Written for a cohort, of classes: what moves one of them by a step is less arithmetic than asking.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from pydantic import Field

from algorithms.attacks.input_free.tiling import ImageRows, Tiling, sides_to_try
from algorithms.attacks.input_free.traveler import Traveler
from algorithms.mathematics.arrays import Numbers
from algorithms.mathematics.windows import Canvas
from algorithms.method import Method, Params
from algorithms.seam.access import Access, Scores
from algorithms.seam.case import Cohort, Conversation, Step
from algorithms.seam.claims import Fooling, Kind, Note
from algorithms.seam.cost import Cost
from algorithms.seam.question import Owners
from algorithms.seam.questions.scores import AskScores
from algorithms.searches.scores.margins import logits, margins
from algorithms.searches.scores.plateaus import Plateaus
from algorithms.threats.threat import Threat

CANDIDATES, WARM_UP_STEPS, WARM_UP_PAIRS = 2, 5, 2  # as their code has them
WIDEST = 0.25  # sigma, where nothing nearer makes a difference
BLIND = 5  # looks in a row that saw nothing there, either


class InputFreeParams(Params):
    name: Literal["input_free"] = "input_free"
    region: int | None = Field(
        None, ge=1, description="side of the region in pixels, of a vector in features; null: chosen by a warm-up"
    )
    pairs: int = Field(10, ge=1, le=1000, description="of rows, ahead and behind, for each estimate of a gradient")
    sigma: float = Field(1e-3, gt=0, le=WIDEST, description="how far these rows are away, as a share of the box's side")
    step: float = Field(0.01, gt=0, le=0.5, description="how far a step goes at first, as a share of the box's side")
    momentum: float = Field(0.7, ge=0, lt=1, description="share of a step that is owed to the estimates before")
    steps: int = Field(5000, ge=1, le=100_000, description="after the warm-up, at the most")


def minimum(params: InputFreeParams, threat: Threat[Any]) -> Cost:
    """Count the clean row, the warm-up, one step and the final re-query."""
    del threat
    warm_up = 0 if params.region else CANDIDATES * WARM_UP_STEPS * (2 * WARM_UP_PAIRS + 1)
    return Cost(queries=3 + warm_up + 2 * params.pairs)


def run(cohort: Cohort, threat: Threat[Any], params: InputFreeParams) -> Conversation:
    """Move a point to each class, step by step, until all have arrived or given up."""
    search = InputFreeSearch(cohort, threat, params)
    n = len(cohort.cases)
    travelers = search.begin([params.region] * n) if params.region else (yield from search.warm_up())
    for _ in range(params.steps):
        if not len(search.under_way()):
            return
        yield from search.advance(travelers, params.pairs)


class InputFreeSearch:
    """A search is all classes'. Each has its own random numbers, and a width at which differences are seen."""

    def __init__(self, cohort: Cohort, threat: Threat[Any], params: InputFreeParams) -> None:
        assert cohort.targets is not None
        self._cohort, self._params, self._targets = cohort, params, cohort.targets
        self._canvas = Canvas.of(cohort.x.shape[1:])
        self._gray = self._canvas.view(cohort.x)
        self._threat = threat.arranged(lambda side: self._canvas.view(side[None]) if side.ndim else side)
        self._rngs = [stream.at(1) for stream in cohort.streams]
        n = len(self._targets)
        self._is_over, self._blind = np.zeros(n, np.bool_), np.zeros(n, np.int64)
        self._plateaus = Plateaus(np.full(n, params.sigma), np.full(n, WIDEST))

    def under_way(self) -> Owners:
        """List whose points still move."""
        return np.flatnonzero(self._cohort.live & ~self._is_over)

    def begin(self, sides: Sequence[int]) -> list[Traveler]:
        """Begin at gray, with a region of this side for each class."""
        step, momentum = self._params.step, self._params.momentum
        return [
            Traveler(self._gray[[i]], Tiling.of(self._canvas, side), self._threat, step, momentum)
            for i, side in enumerate(sides)
        ]

    def warm_up(self) -> Step[list[Traveler]]:
        """Try a few sides, drawn by lot, for a few steps; go on from where the best of them led, for each class.

        The best is that by which the entropy of the answers has risen most since it was least.
        """
        drawn = [stream.at(0).permutation(sides_to_try(self._canvas))[:CANDIDATES] for stream in self._cohort.streams]
        tried: list[list[Traveler]] = []
        rises: list[Numbers] = []
        for sides in zip(*drawn, strict=True):
            travelers = self.begin(sides)
            entropies = np.zeros((WARM_UP_STEPS, len(travelers)))
            for step in range(WARM_UP_STEPS):
                entropies[step] = yield from self.advance(travelers, WARM_UP_PAIRS)
            tried.append(travelers)
            rises.append(entropies[-1] - entropies.min(axis=0))
        return [tried[k][i] for i, k in enumerate(np.argmax(rises, axis=0))]

    def advance(self, travelers: Sequence[Traveler], pairs: int) -> Step[Numbers]:
        """Move every point under way by a step. Returns the mean entropy (n,) of the answers around each."""
        entropies = np.zeros(len(travelers))
        owners = self.under_way()
        rows = [travelers[i].around(self._rngs[i], pairs, self._plateaus.step[i]) for i in owners]
        for i, images, scores in (yield from self._ask(owners, rows)):
            entropies[i] = _entropies(scores, self._cohort.are_probabilities).mean()
            yield from self._look(int(i), travelers[i], images, scores)
        owners = self.under_way()
        for i, point, scores in (yield from self._ask(owners, [travelers[i].ahead() for i in owners])):
            margin = self._margins(int(i), scores)
            travelers[i].arrive(point, float(margin[0]))
            yield from self._claim(int(i), travelers[i], point, margin)
        return entropies

    def _ask(self, owners: Owners, images: list[ImageRows]) -> Step[list[tuple[int, ImageRows, Scores]]]:
        """As many images of each owner, in one question. Returns those who could pay, with images and answers."""
        if not images:
            return []
        rows = self._canvas.restore(np.concatenate(images))
        scores = yield from AskScores(rows, np.repeat(owners, len(images[0])))
        answers = np.split(scores, len(owners))
        return [one for one in zip(owners, images, answers, strict=True) if self._cohort.live[one[0]]]

    def _look(self, owner: int, traveler: Traveler, images: ImageRows, scores: Scores) -> Step[None]:
        """Take in what is seen around a point; give up where nothing is, however far it looks."""
        margin, plateaus = self._margins(owner, scores), self._plateaus
        traveler.hear(margin, plateaus.step[owner])
        yield from self._claim(owner, traveler, images, margin)
        ahead, behind = np.split(margin, 2)
        for new in plateaus.see(np.array([owner]), np.array([np.mean(ahead == behind)])):
            yield Note(plateaus.of(int(new)), owner=owner)
        self._blind[owner] = self._blind[owner] + 1 if plateaus.are_blind[owner] else 0
        self._is_over[owner] |= self._blind[owner] == BLIND

    def _claim(self, owner: int, traveler: Traveler, images: ImageRows, margin: Numbers) -> Step[None]:
        """Claim the image that is answered with the class most clearly, if any is."""
        if np.any(margin > 0):
            self._is_over[owner] = True
            best = self._canvas.restore(images[[np.nanargmax(margin)]])[0]
            yield Fooling(best, owner=owner, details={"region": traveler.tiling.side})

    def _margins(self, owner: int, scores: Scores) -> Numbers:
        classes = np.full(len(scores), self._targets[owner])
        return margins(scores, classes, classes, self._cohort.are_probabilities)


def _entropies(scores: Scores, are_probabilities: bool) -> Numbers:
    """H(p) = -sum p log p of soft-max answers (m, classes): (m,), 0 where they are no numbers."""
    z = logits(scores, are_probabilities)
    z = np.where(np.isfinite(z), z, 0.0)
    z = z - z.max(axis=1, keepdims=True)
    mass = np.exp(z)
    total = mass.sum(axis=1)
    found: Numbers = np.log(total) - (mass * z).sum(axis=1) / total
    return found


METHOD = Method(
    name="input_free",
    version="1",
    family="attack",
    threat_model="black_box_score",
    needs=(Access.SCORES,),
    norms=(),
    goals=(),
    epsilon="refused",
    proves=Kind.FOOLED,
    reference="Du et al., Towards Query Efficient Black-box Attacks, AISec 2018, arXiv:1809.02918",
    params=InputFreeParams,
    run=run,
    cohort=True,
    minimum=minimum,
    smallest=InputFreeParams(pairs=2, step=0.05, steps=60),
    chunk=100,
    samples="refused",
)
