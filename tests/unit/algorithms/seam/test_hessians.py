"""Questions about second derivatives: shared in one call, charged to their owners, and answered row by row."""

import numpy as np

from algorithms.seam.access import Rows
from algorithms.seam.cost import Cost
from algorithms.seam.question import Paid
from algorithms.seam.questions.hessians import AskHessianProduct, AskKinks
from tests.truths import ClosedForm, Disc, TinyReLU


class Counted(Disc):
    """The disc, whose calls are counted."""

    calls = 0

    def hessian_products(self, rows: Rows, *rest: np.ndarray) -> Rows:
        self.calls += 1
        return super().hessian_products(rows, *rest)


def asked(rows: int, seed: int = 0, owners: np.ndarray | None = None, label: int = 0) -> AskHessianProduct:
    rng = np.random.default_rng(seed)
    x, v = rng.random((2, rows, 3), np.float32)
    labels = np.full(rows, label)
    return AskHessianProduct(x, owners, directions=v, labels=labels, rivals=1 - labels)


def test_questions_of_several_conversations_take_one_call():
    model, questions = Counted(np.zeros(3), 1.0), [asked(2), asked(3, 1, label=1), asked(1, 2)]
    answers = AskHessianProduct.ask(model, [Paid(question) for question in questions])
    assert model.calls == 1
    for question, answer, sign in zip(questions, answers, (-2, 2, -2), strict=True):
        np.testing.assert_allclose(answer, sign * question.directions)


def test_a_row_costs_two_gradients_and_its_owner_pays():
    assert asked(3).price() == ((0, Cost(gradients=6)),)
    assert list(asked(3, owners=np.array([1, 4, 1])).price()) == [(1, Cost(gradients=4)), (4, Cost(gradients=2))]


def test_rows_that_nobody_can_pay_for_are_not_sent_and_answered_by_zeros():
    model, question = Counted(np.zeros(3), 1.0), asked(3, owners=np.array([0, 1, 0]))
    [answer] = AskHessianProduct.ask(model, [question.without([1])])
    np.testing.assert_allclose(answer, -2 * question.directions * np.array([[1], [0], [1]]))
    assert len(model.differentiated[0]) == 2
    [nothing] = AskHessianProduct.ask(model, [question.without([0, 1])])
    assert model.calls == 1 and not nothing.any()


def test_kinks_are_told_for_free():
    relu: ClosedForm = TinyReLU(np.eye(3), np.zeros(3), np.eye(2, 3), np.zeros(2))
    assert AskKinks.ask(relu, [Paid(AskKinks())] * 2) == [("Relu",)] * 2
    assert AskKinks.ask(Disc(np.zeros(3), 1.0), [Paid(AskKinks())]) == [()]
    assert list(AskKinks().price()) == []
