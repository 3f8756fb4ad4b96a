"""Whom a question is charged to, where its conversation is a part of a larger one."""

from importlib import import_module
from pkgutil import iter_modules

import numpy as np
import pytest

from algorithms.mathematics.streams import Stream
from algorithms.seam import questions
from algorithms.seam.question import Question
from algorithms.seam.questions.cloud import AskCloud, Cloud
from algorithms.seam.questions.gradient_norms import AskGradientNorms, Ball
from algorithms.seam.questions.pause import Pause
from algorithms.seam.questions.scores import AskScores
from algorithms.threats.threat import Threat

X = np.full(2, 0.5, np.float32)
STREAM = Stream(0, 0, "test")
OWNERS = np.array([4, 7])  # members 0 and 1 of the part are these of the whole
KINDS = {
    kind
    for found in iter_modules(questions.__path__, f"{questions.__name__}.")
    for kind in vars(import_module(found.name)).values()
    if isinstance(kind, type) and issubclass(kind, Question)
}


def prices(question: Question) -> dict[int, int]:
    return {member: sum(cost) for member, cost in question.charged_to(OWNERS).price()}


def test_rows_are_charged_to_their_owners_in_the_whole() -> None:
    assert prices(AskScores(np.stack([X] * 3), np.array([1, 0, 1]))) == {4: 1, 7: 2}
    assert prices(AskScores(np.stack([X] * 3))) == {4: 3}


def test_clouds_and_balls_are_charged_to_their_owner_in_the_whole() -> None:
    cloud = Cloud(X, 1.0, directions=None, n=5, threat=Threat(), stream=STREAM, counter=0)  # type: ignore[arg-type]
    ball = Ball(X, 0.1, Threat(), "uniform", n=6, stream=STREAM, counter=0)
    assert prices(AskCloud(cloud, reduction=None, owner=1)) == {7: 5}  # type: ignore[arg-type]
    assert prices(AskGradientNorms(ball, 0, np.array([1]), owner=1)) == {7: 6}


def test_a_free_question_stays_free() -> None:
    assert prices(Pause()) == {}


@pytest.mark.parametrize("kind", sorted(KINDS, key=lambda kind: kind.__name__))
def test_whatever_is_charged_can_be_charged_to_another(kind: type[Question]) -> None:
    assert (kind.price is Question.price) == (kind.charged_to is Question.charged_to)
