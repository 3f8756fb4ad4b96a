"""The majority of several answers, against counting by hand, and attacks on a model that answers at random."""

import numpy as np
import pytest

from algorithms.driver.running import Samples, run
from algorithms.majority import majority_of
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget
from algorithms.registry import method
from algorithms.seam.access import Access
from algorithms.seam.claims import Kind
from algorithms.seam.labeling import NO_CLASS, named
from algorithms.threats.threat import Threat
from tests.truths import Linear

ROWS = np.zeros((3, 2), np.float32)


class Scripted:
    """Answers what is next in a list, whatever it is asked."""

    shape, classes, substitutes, gives_probabilities = (2,), 3, None, False

    def __init__(self, *answers):
        self._answers = iter(answers)
        self.offers = {Access.LABELS: self, Access.SCORES: self, Access.GRADIENTS: "slopes"}

    def labels(self, rows):
        return np.array(next(self._answers))

    def scores(self, rows):
        return np.array(next(self._answers), np.float32)


class Noisy(Linear):
    """A linear model whose logits are drawn anew at each answer."""

    def __init__(self, noise):
        super().__init__(np.array([[1.0, 0.5], [-1.0, 0.25], [0.0, -1.0]]), np.array([0.0, 0.0, -0.5]), shape=(2,))
        self._rng, self._noise = np.random.default_rng(0), noise

    def scores(self, rows):
        scores = super().scores(rows)
        return (scores + self._rng.normal(scale=self._noise, size=scores.shape)).astype(np.float32)


def test_a_label_is_what_most_answers_name_and_of_equally_many_the_first_that_was_answered():
    answers = [[2, 0, 1], [1, 0, 2], [1, 2, NO_CLASS], [2, 1, 0]]
    assert majority_of(Scripted(*answers), 4).labels(ROWS).tolist() == [2, 0, 1]
    assert majority_of(Scripted(*answers[1:]), 3).labels(ROWS).tolist() == [1, 0, 2]


@pytest.mark.parametrize("repeats", [2, 3, 4, 7])
def test_majorities_are_those_that_counting_row_by_row_gives(repeats):
    rng = np.random.default_rng(repeats)
    answers = rng.integers(-1, 4, (repeats, 200))
    expected = []
    for said in answers.T.tolist():
        most = max(map(said.count, said))
        expected.append(next(label for label in said if said.count(label) == most))
    assert majority_of(Scripted(*answers), repeats).labels(np.zeros((200, 2), np.float32)).tolist() == expected


def test_scores_are_the_mean_of_the_answers_that_name_what_the_majority_names():
    answers = [[[5, 1, 0]], [[0, 2, 1]], [[1, 3, 0]]]
    assert majority_of(Scripted(*answers), 3).scores(ROWS[:1]).tolist() == [[0.5, 2.5, 0.5]]


def test_scores_name_the_label_that_most_answers_name():
    answers = np.random.default_rng(1).normal(size=(5, 300, 3)).astype(np.float32)
    rows = np.zeros((300, 2), np.float32)
    scores = majority_of(Scripted(*answers), 5).scores(rows)
    labels = majority_of(Scripted(*map(named, answers)), 5).labels(rows)
    assert named(scores).tolist() == labels.tolist() and scores.dtype == np.float32
    assert (labels != named(answers.mean(axis=0))).any(), "the mean of all answers would name others"


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_answers_without_a_class_are_answers_too(odd):
    silent, plain = [[odd, odd, 0.0]], [[0.0, 1.0, 2.0]]
    assert named(majority_of(Scripted(silent, plain, silent), 3).scores(ROWS[:1])).tolist() == [NO_CLASS]
    assert named(majority_of(Scripted(plain, silent, plain), 3).scores(ROWS[:1])).tolist() == [2]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_said_every_time_is_told_to_the_bit(dtype):
    said = np.random.default_rng(2).normal(size=(50, 3)).astype(dtype) * np.pi
    said[0] = [-np.inf, 0.1, -np.inf]
    asked = Scripted()
    asked.scores = lambda rows: said
    told = majority_of(asked, 7).scores(np.zeros((50, 2), np.float32))
    assert told.dtype == dtype and (told == said).all()


def test_more_rows_than_are_held_at_once_are_asked_part_by_part_and_answered_in_order():
    model, rows = Linear(np.eye(3, 2), np.zeros(3), shape=(2,)), np.random.default_rng(3).random((10**5, 2), np.float32)
    told = majority_of(model, 15).scores(rows)
    assert len(model.queried) == 2 * 15 and model.queries == 15 * len(rows)
    assert (told == model.scores(rows)).all()


def test_one_answer_is_the_models_own_and_slopes_are_asked_once():
    model = Scripted()
    assert majority_of(model, 1) is model
    assert majority_of(model, 2).offers[Access.GRADIENTS] == "slopes"


@pytest.mark.parametrize("name", ["square", "hopskipjump"])
def test_points_that_only_chance_shows_are_no_successes_where_the_majority_counts(name):
    """Labels of clean rows turn in about a sixth of the answers, and the radius is three tenths."""
    attack, x = method(name), np.full((8, 2), [0.3, 0.5], np.float32)
    threat, what = Threat(Norm.L2, epsilon=0.05 if name == "square" else None), Samples(x, tuple(range(8)), None)

    def found(repeats):
        model = Noisy(0.6)
        labels = np.zeros(8, np.int64)
        asked = Samples(what.x, what.indices, labels)
        return run(model, asked, attack, attack.smallest, threat, Budget(120 * repeats, repeats=repeats), seed=1), model

    (once, _), (several, model) = found(1), found(25)
    assert sum(o.finding.queries for o in several) == model.queries
    wrong = [sum(o.finding.kind is Kind.MISCLASSIFIED for o in outcomes) for outcomes in (once, several)]
    assert wrong[0] > 0 == wrong[1]
    near = [sum(o.x_adv is not None and o.finding.value < 0.15 for o in outcomes) for outcomes in (once, several)]
    assert near[0] > 0 == near[1]
