"""A model that is asked every row several times and answered by the majority: for models that answer at random.

A label is the one that most answers name, of equally many the one that was answered first. Scores are the mean of those
answers that name it: they name it, too, so that attacks on scores and on labels speak of the same classifier, and a
model that answers a row alike every time is answered by the same bits.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from algorithms.seam.access import Access, Labels, Model, Rows, Scores
from algorithms.seam.labeling import named
from algorithms.seam.question import BATCH_BYTES
from algorithms.seam.questions.labels import Labeler
from algorithms.seam.questions.scores import Scorer


def majority_of(model: Model, repeats: int) -> Model:
    """Make a model that answers labels and scores by the majority of so many answers to each row."""
    return model if repeats == 1 else _Asked(model, repeats)


@final
@dataclass(frozen=True)
class _Asked:
    """A model asked several times for whatever costs queries. All else it offers is asked once: slopes, bounds."""

    model: Model
    repeats: int

    @property
    def shape(self) -> tuple[int, ...]:
        return self.model.shape

    @property
    def classes(self) -> int:
        return self.model.classes

    @property
    def offers(self) -> Mapping[Access, Any]:
        several = {Access.LABELS: self, Access.SCORES: self}
        return {access: several.get(access, offer) for access, offer in self.model.offers.items()}

    @property
    def substitutes(self) -> Any:
        return self.model.substitutes

    @property
    def gives_probabilities(self) -> bool:
        return self.model.gives_probabilities

    def labels(self, rows: Rows) -> Labels:
        """Answer labels (m,) of rows (m, *shape), each by the majority."""
        labeler: Labeler = self.model.offers[Access.LABELS]
        return np.concatenate([_majority(answers) for answers in self._answers(rows, labeler.labels, 1)])

    def scores(self, rows: Rows) -> Scores:
        """Answer scores (m, classes) of rows (m, *shape), each the mean of those that name the majority's class."""
        scorer: Scorer = self.model.offers[Access.SCORES]
        return np.concatenate([_mean(answers) for answers in self._answers(rows, scorer.scores, self.classes)])

    def _answers(self, rows: Rows, answer: Callable[[Rows], NDArray[Any]], numbers: int) -> Iterator[NDArray[Any]]:
        """Yield the answers (repeats, m, ...) to some rows after the other: as many as are held without being felt."""
        size = max(1, BATCH_BYTES // (8 * numbers * self.repeats))
        for start in range(0, len(rows), size):
            yield np.stack([answer(rows[start : start + size]) for _ in range(self.repeats)])


def _majority(answers: Labels) -> Labels:
    """The label (m,) that most of the answers (repeats, m) name; of equally many, the first that was answered."""
    labels: Labels = np.take_along_axis(answers, _speakers(answers), axis=0)[0]
    return labels


def _speakers(labels: Labels) -> NDArray[np.intp]:
    """Which answer (1, m) of those (repeats, m) is the first that names what the majority names."""
    different, which = np.unique(labels, return_inverse=True)
    m = labels.shape[1]
    places = which.reshape(labels.shape) * m + np.arange(m)  # in a table (different labels, m)
    votes = np.bincount(places.ravel(), minlength=len(different) * m)[places]  # (repeats, m), of each answer's label
    speakers: NDArray[np.intp] = votes.argmax(axis=0, keepdims=True)
    return speakers


def _mean(answers: Scores) -> Scores:
    """The mean (m, classes) of those answers (repeats, m, classes) that name what the majority names."""
    labels = np.stack([named(scores) for scores in answers])  # (repeats, m)
    first = _speakers(labels)
    agree = (labels == np.take_along_axis(labels, first, axis=0))[..., None]
    said = np.take_along_axis(answers, first[..., None], axis=0)  # (1, m, classes)
    with np.errstate(invalid="ignore"):  # infinities of both signs have no mean
        mean = np.where(agree, answers, 0).sum(axis=0, dtype=np.float64) / agree.sum(axis=0)
    alike = ((answers == said) | ~agree).all(axis=0)  # what is said every time is told to the bit
    scores: Scores = np.where(alike, said[0], mean).astype(answers.dtype)
    return scores
