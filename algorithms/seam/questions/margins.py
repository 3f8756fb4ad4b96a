"""AskMargins: sound lower bounds of margins all over a region."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, final

import numpy as np
from numpy.typing import NDArray

from algorithms.seam.access import Access, Labels, Model, Rows
from algorithms.seam.question import Paid, Question
from algorithms.threats.threat import Threat

Relaxation = Literal["intervals", "crown"]
Margins = NDArray[np.float64]  # (m, r)


@dataclass(frozen=True)
class Region:
    """A region is one ball of the threat's norm a row, of which only what is valid counts."""

    rows: Rows  # (m, *shape), valid themselves
    radii: NDArray[np.float64]  # (m,)
    threat: Threat


class Bounded(Protocol):
    """Whoever is `Bounded` offers `Access.BOUNDS`."""

    def margins(self, region: Region, labels: Labels, rivals: NDArray[np.int64], relaxation: Relaxation) -> Margins:
        """Find sound lower bounds (m, r) of f_label - f_rival over all points of each row's ball within the box.

        They hold for the scores as this model computes them, rounding included; -inf where nothing can be said. The
        same question has the same answer, and what was asked before does not matter.
        """
        ...


@final
@dataclass(frozen=True)
class AskMargins(Question[Margins]):
    """`AskMargins` is answered by sound lower bounds (m, r) of margins over a region: see `Bounded.margins`.

    No point is asked and no gradient taken, so nobody is charged: what a bound costs is time.
    """

    region: Region
    labels: Labels  # (m,)
    rivals: NDArray[np.int64]  # (m, r)
    relaxation: Relaxation

    @classmethod
    def ask(cls, model: Model, asked: Sequence[Paid["AskMargins"]]) -> Sequence[Margins]:
        bounded: Bounded = model.offers[Access.BOUNDS]
        found: dict[int, Margins] = {}
        for places in _alike([paid.question for paid in asked]):
            some = [asked[place].question for place in places]
            margins = bounded.margins(*_joined(some))
            ends = np.cumsum([len(question.labels) for question in some])[:-1]
            found |= zip(places, np.split(margins, ends), strict=True)
        return [found[place] for place in range(len(asked))]


def _alike(questions: Sequence[AskMargins]) -> Iterable[Sequence[int]]:
    """Tell the places of questions that can be one: about the same threat, and as many rivals."""
    places: dict[Any, list[int]] = {}
    for place, question in enumerate(questions):
        key = question.relaxation, id(question.region.threat), question.rivals.shape[1]
        places.setdefault(key, []).append(place)
    return places.values()


def _joined(questions: Sequence[AskMargins]) -> tuple[Region, Labels, NDArray[np.int64], Relaxation]:
    first = questions[0]
    if len(questions) == 1:
        return first.region, first.labels, first.rivals, first.relaxation
    rows, radii = (np.concatenate([getattr(q.region, name) for q in questions]) for name in ("rows", "radii"))
    labels, rivals = (np.concatenate([getattr(q, name) for q in questions]) for name in ("labels", "rivals"))
    return Region(rows, radii, first.region.threat), labels, rivals, first.relaxation
