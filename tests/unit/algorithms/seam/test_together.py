"""Questions of several members in one beat: who pays, who is left out, and how their conversations are held."""

import numpy as np
import pytest

from algorithms.seam.access import Access
from algorithms.seam.claims import LowerBound
from algorithms.seam.question import Paid
from algorithms.seam.questions.labels import AskLabels
from algorithms.seam.questions.pause import Pause
from algorithms.seam.questions.scores import AskScores
from algorithms.seam.questions.together import Together, in_step
from tests.truths import Linear

ROWS = np.array([[0.2, 0.8], [0.9, 0.1], [0.5, 0.6]], np.float32)


def linear() -> Linear:
    return Linear(np.eye(2), np.zeros(2))


def together() -> Together:
    return Together((AskLabels(ROWS[:1]), AskScores(ROWS[1:]), Pause()), np.array([3, 1, 2]))


def test_each_member_pays_for_its_own_part_and_again_as_part_of_a_larger_conversation():
    assert [(owner, cost.queries) for owner, cost in together().price()] == [(3, 1), (1, 2)]
    larger = together().charged_to(np.array([10, 11, 12, 13]))
    assert [(owner, cost.queries) for owner, cost in larger.price()] == [(13, 1), (11, 2)]


def test_parts_are_answered_in_order_each_kind_in_one_call_and_none_that_is_not_paid_for():
    model = linear()
    (labels, scores, nothing), (left_out, *_) = Together.ask(model, [Paid(together()), together().without([3])])
    assert labels.tolist() == [1]
    assert np.array_equal(scores, model.scores(ROWS[1:]))
    assert nothing is None and left_out is None
    assert Access.SCORES in model.offers


def test_conversations_in_step_put_a_question_each_and_claim_in_their_own_name():
    def talk(name: float, questions: int):
        for _ in range(questions):
            answer = yield AskLabels(ROWS[:1])
            yield LowerBound(name + float(answer))

    live = np.ones(3, np.bool_)
    said = in_step({0: talk(10.0, 2), 2: talk(20.0, 1)}, live)
    first = said.send(None)
    assert isinstance(first, Together) and first.owners.tolist() == [0, 2]
    heard = [said.send([1, 2])]
    while not isinstance(heard[-1], Together):
        heard.append(next(said))
    assert [(claim.owner, claim.radius) for claim in heard[:-1]] == [(0, 11.0), (2, 22.0)]
    assert heard[-1].owners.tolist() == [0]
    live[0] = False  # it has left: its conversation ends unanswered
    with pytest.raises(StopIteration):
        said.send([None])
