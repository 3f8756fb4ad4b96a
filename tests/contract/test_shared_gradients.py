"""Gradients of many conversations share calls of the model, each under its own loss, and the numbers do not show it."""

from typing import Literal

import numpy as np
import onnx
import pytest

from algorithms.driver.running import Samples, run
from algorithms.mathematics.norms import Norm
from algorithms.method import Budget, Method, Params
from algorithms.seam.access import Access, Model
from algorithms.seam.case import Case, Conversation
from algorithms.seam.claims import Estimate, Kind, Note, Outcome
from algorithms.seam.cost import Cost
from algorithms.seam.questions.gradients import AskGradient
from algorithms.threats.threat import Threat
from models.onnx.classifier import OnnxClassifier
from models.onnx.gradients.differentiator import differentiator
from models.onnx.network import read
from tests.devices import DEVICE
from tests.exports import torch_export
from tests.truths import Linear

N, STEPS = 7, 4


class DescentParams(Params):
    name: Literal["descent"] = "descent"


def descend(case: Case, threat: Threat, params: DescentParams) -> Conversation:
    """From one to three points at a time, a rival class for each: no two conversations have the same loss."""
    rows = np.stack([case.x] * (1 + case.stream.index % 3))
    rivals = (case.label + 1 + np.arange(len(rows))) % case.classes
    for step in range(STEPS):

        def gap(scores: np.ndarray, positions: np.ndarray) -> np.ndarray:
            eye = np.eye(case.classes, dtype=np.float32)
            return (1 + positions[:, None]) * (eye[rivals[positions]] - eye[[case.label]])

        scores, slopes = yield from AskGradient(rows, cotangent=gap)
        yield Note({f"step {step}": [scores.tolist(), slopes.tolist()]})
        rows = np.clip(rows + np.float32(0.05) * np.sign(slopes), 0, 1)
    yield Estimate(float(np.abs(rows - case.x).max()))


DESCENT = Method(
    name="descent",
    version="1",
    family="attack",
    threat_model="white_box",
    needs=(Access.SCORES, Access.GRADIENTS),
    norms=(Norm.LINF,),
    goals=("untargeted",),
    epsilon="refused",
    proves=Kind.ESTIMATE,
    reference="one's own",
    params=DescentParams,
    run=descend,
    cohort=False,
    minimum=lambda params, threat: Cost(queries=1, gradients=STEPS),
    smallest=DescentParams(),
    chunk=N,
)


def network() -> tuple[Model, tuple[int, ...]]:
    export = torch_export("cnn", "classic", 13)
    found = read(onnx.load_from_string(export.data), None)
    return OnnxClassifier(found, differentiator(found, DEVICE), DEVICE), export.shape


def truth() -> tuple[Linear, tuple[int, ...]]:
    rng = np.random.default_rng(3)
    return Linear(rng.normal(size=(4, 16)), rng.normal(size=4), shape=(1, 4, 4)), (1, 4, 4)


def go(model: Model, shape: tuple[int, ...], indices: range, *, gradients: int = 50) -> list[Outcome]:
    x = np.random.default_rng(5).uniform(0.3, 0.7, (N, *shape)).astype(np.float32)
    what, budget = Samples(x[indices], tuple(indices), None), Budget(50, gradients)
    return run(model, what, DESCENT, DescentParams(), Threat(Norm.LINF), budget, seed=1)


@pytest.mark.parametrize("opened", [network, truth])
def test_a_sample_has_the_same_gradients_alone_and_in_company(opened):
    model, shape = opened()
    together = [outcome.finding for outcome in go(model, shape, range(N))]
    alone = [go(model, shape, range(i, i + 1))[0].finding for i in range(N)]
    assert alone == together
    assert len({str(finding.details) for finding in together}) == N


def test_all_conversations_take_one_call_a_step():
    model, shape = truth()
    findings = [outcome.finding for outcome in go(model, shape, range(N))]
    rows = [STEPS * (1 + i % 3) for i in range(N)]
    assert [finding.gradients for finding in findings] == rows
    assert [len(asked) for asked in model.differentiated] == [sum(rows) // STEPS] * STEPS


def test_who_cannot_pay_leaves_and_the_others_have_what_they_had():
    model, shape = truth()
    whole, short = ([outcome.finding for outcome in go(model, shape, range(N), gradients=most)] for most in (12, 8))
    for i, (all_steps, some) in enumerate(zip(whole, short, strict=True)):
        assert some.ended == ("budget" if 1 + i % 3 > 2 else "finished")
        assert some == all_steps or 1 + i % 3 > 2


def test_rows_left_out_leave_every_loss_on_its_own_rows():
    """A slice of the model may begin in one question and end in another, and rows may be missing from both."""
    model, shape = truth()
    x = np.random.default_rng(0).random((40, *shape), dtype=np.float32)
    weights = np.random.default_rng(1).normal(size=(40, 4)).astype(np.float32)  # of each row's own loss

    def question(part: slice) -> AskGradient:
        own = weights[part]
        return AskGradient(x[part], np.arange(len(own)) % 3, cotangent=lambda scores, at: scores * 0 + own[at])

    first, second, third = question(slice(0, 9)), question(slice(9, 12)), question(slice(12, 40))
    asked = [first.without([1]), second.without([0, 1, 2]), third.without([2])]
    answers = AskGradient.ask(model, asked)
    scores, slopes = model.gradients(x, lambda scores, at: weights[at])
    for paid, part, answer in zip(asked, (slice(0, 9), slice(9, 12), slice(12, 40)), answers, strict=True):
        is_sent = np.isin(np.arange(len(scores[part])), paid.kept).reshape(-1, 1)
        np.testing.assert_array_equal(answer[0], np.where(is_sent, scores[part], 0))
        np.testing.assert_array_equal(answer[1], np.where(is_sent[..., None, None], slopes[part], 0))
    assert [len(paid.kept) for paid in asked] == [6, 0, 19]
